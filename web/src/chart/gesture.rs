//! What the mouse and fingers do on a chart, decided without a browser: pointing, dragging over a stretch, or scrolling the
//! page, which is none of the chart's business.

/// A finger that moves less than this only rests there.
const SLOP_PX: f64 = 10.0;

/// What a pointer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    Down,
    Move,
    Up,
    /// The browser took it, to scroll.
    Cancel,
    Leave,
}

/// Where a pointer is: the pixel, and the instant below it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pointer {
    pub(crate) id: i32,
    pub(crate) is_mouse: bool,
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) at: i64,
}

/// What it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Did {
    Nothing,
    Point(i64),
    /// Nothing is pointed at or dragged over any more.
    Leave,
    Drag(i64, i64),
    /// What was dragged over is chosen.
    Choose,
}

/// The pointers on a chart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gesture {
    /// Where the mouse was pressed.
    began: Option<i64>,
    /// Each finger where it is, and where it was first.
    fingers: Vec<(Pointer, Pointer)>,
    /// A second finger was there; the last one to leave is no tap.
    was_two: bool,
}

impl Gesture {
    pub(crate) fn step(&mut self, moved: Moved, pointer: Pointer) -> Did {
        if pointer.is_mouse { self.mouse(moved, pointer.at) } else { self.finger(moved, pointer) }
    }

    fn mouse(&mut self, moved: Moved, at: i64) -> Did {
        match (moved, self.began) {
            (Moved::Down, _) => {
                self.began = Some(at);
                Did::Nothing
            }
            (Moved::Move, Some(began)) => Did::Drag(began, at),
            (Moved::Move, None) => Did::Point(at),
            (Moved::Up, _) => {
                self.began = None;
                Did::Choose
            }
            (Moved::Leave, Some(_)) => Did::Nothing,
            (Moved::Leave | Moved::Cancel, _) => {
                self.began = None;
                Did::Leave
            }
        }
    }

    /// A finger points when it is lifted where it was put down, or moves sideways; before that it may be about to scroll.
    fn finger(&mut self, moved: Moved, pointer: Pointer) -> Did {
        match moved {
            Moved::Down => {
                self.fingers.push((pointer, pointer));
                self.was_two |= self.fingers.len() > 1;
                Did::Nothing
            }
            Moved::Move => {
                for finger in self.fingers.iter_mut().filter(|finger| finger.0.id == pointer.id) {
                    finger.0 = pointer;
                }
                match self.fingers.as_slice() {
                    [(one, _), (other, _)] => Did::Drag(one.at, other.at),
                    [(own, first)] if !self.was_two && (own.x - first.x).abs() > SLOP_PX => Did::Point(own.at),
                    _ => Did::Nothing,
                }
            }
            Moved::Up | Moved::Cancel => {
                // One that went up or down meant to scroll, whether or not there was anything to scroll.
                let own = self.fingers.iter().find(|finger| finger.0.id == pointer.id);
                let is_tap = own.is_some_and(|(_, first)| (pointer.y - first.y).abs() <= SLOP_PX);
                let were_two = self.fingers.len() > 1;
                self.fingers.retain(|finger| finger.0.id != pointer.id);
                let was_two = if self.fingers.is_empty() { std::mem::take(&mut self.was_two) } else { self.was_two };
                match moved {
                    Moved::Cancel => Did::Leave,
                    _ if were_two => Did::Choose,
                    _ if is_tap && !was_two => Did::Point(pointer.at),
                    _ => Did::Nothing,
                }
            }
            Moved::Leave => Did::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Did, Gesture, Moved, Pointer};

    const fn mouse(at: i64) -> Pointer {
        Pointer { id: 1, is_mouse: true, x: 0.0, y: 0.0, at }
    }

    fn finger(id: i32, at: i64) -> Pointer {
        Pointer { id, is_mouse: false, x: at as f64, y: 0.0, at }
    }

    #[test]
    fn a_mouse_points_and_drags() {
        let mut it = Gesture::default();
        assert_eq!(it.step(Moved::Move, mouse(5)), Did::Point(5));
        assert_eq!(it.step(Moved::Down, mouse(5)), Did::Nothing);
        assert_eq!(it.step(Moved::Leave, mouse(50)), Did::Nothing, "it is dragged out of the chart");
        assert_eq!(it.step(Moved::Move, mouse(50)), Did::Drag(5, 50));
        assert_eq!(it.step(Moved::Up, mouse(50)), Did::Choose);
        assert_eq!(it.step(Moved::Leave, mouse(60)), Did::Leave);
    }

    #[test]
    fn a_finger_that_scrolls_points_at_nothing_and_a_tap_points() {
        let mut it = Gesture::default();
        assert_eq!(it.step(Moved::Down, finger(1, 100)), Did::Nothing);
        assert_eq!(it.step(Moved::Move, finger(1, 103)), Did::Nothing);
        assert_eq!(it.step(Moved::Cancel, finger(1, 103)), Did::Leave, "the page scrolls");
        assert_eq!(it.step(Moved::Down, finger(2, 100)), Did::Nothing);
        assert_eq!(it.step(Moved::Up, finger(2, 101)), Did::Point(101));
        assert_eq!(it.step(Moved::Leave, finger(2, 101)), Did::Nothing, "what was tapped stays");
        assert_eq!(it.step(Moved::Down, finger(3, 100)), Did::Nothing);
        assert_eq!(it.step(Moved::Move, finger(3, 130)), Did::Point(130), "sideways it is a cursor");
        assert_eq!(it.step(Moved::Cancel, finger(3, 130)), Did::Leave);
        it.step(Moved::Down, finger(4, 100));
        let up = Pointer { y: -80.0, ..finger(4, 100) };
        assert_eq!((it.step(Moved::Move, up), it.step(Moved::Up, up)), (Did::Nothing, Did::Nothing), "no tap");
    }

    #[test]
    fn two_fingers_choose_a_stretch_and_the_second_to_leave_is_no_tap() {
        let mut it = Gesture::default();
        it.step(Moved::Down, finger(1, 100));
        it.step(Moved::Down, finger(2, 200));
        assert_eq!(it.step(Moved::Move, finger(2, 240)), Did::Drag(100, 240));
        assert_eq!(it.step(Moved::Up, finger(1, 100)), Did::Choose);
        assert_eq!(it.step(Moved::Move, finger(2, 300)), Did::Nothing);
        assert_eq!(it.step(Moved::Up, finger(2, 300)), Did::Nothing);
        it.step(Moved::Down, finger(3, 100));
        assert_eq!(it.step(Moved::Up, finger(3, 100)), Did::Point(100));
    }
}
