//! Places in the tree, and what can be done at one.

use shared::{RouteId, config::Route};

/// The way from the top: which of the routes, which of those below it, and so on.
pub(super) type Place = Vec<usize>;

pub(super) fn at<'a>(routes: &'a [Route], place: &[usize]) -> Option<&'a Route> {
    let (first, rest) = place.split_first()?;
    let route = routes.get(*first)?;
    if rest.is_empty() { Some(route) } else { at(&route.routes, rest) }
}

pub(super) fn at_mut<'a>(routes: &'a mut [Route], place: &[usize]) -> Option<&'a mut Route> {
    let (first, rest) = place.split_first()?;
    let route = routes.get_mut(*first)?;
    if rest.is_empty() { Some(route) } else { at_mut(&mut route.routes, rest) }
}

/// The list a place is in, and its number there.
fn siblings<'a>(routes: &'a mut Vec<Route>, place: &[usize]) -> Option<(&'a mut Vec<Route>, usize)> {
    let (last, above) = place.split_last()?;
    let list = if above.is_empty() { routes } else { &mut at_mut(routes, above)?.routes };
    (*last < list.len()).then_some((list, *last))
}

fn beside(place: &[usize], number: usize) -> Place {
    let mut other = place.to_vec();
    if let Some(last) = other.last_mut() {
        *last = number;
    }
    other
}

pub(super) fn up(routes: &mut Vec<Route>, place: &[usize]) -> Option<Place> {
    let (list, number) = siblings(routes, place)?;
    let before = number.checked_sub(1)?;
    list.swap(number, before);
    Some(beside(place, before))
}

pub(super) fn down(routes: &mut Vec<Route>, place: &[usize]) -> Option<Place> {
    let (list, number) = siblings(routes, place)?;
    if number + 1 >= list.len() {
        return None;
    }
    list.swap(number, number + 1);
    Some(beside(place, number + 1))
}

/// Becomes the last of those below the one before.
pub(super) fn nest(routes: &mut Vec<Route>, place: &[usize]) -> Option<Place> {
    let (list, number) = siblings(routes, place)?;
    let before = number.checked_sub(1)?;
    let route = list.remove(number);
    let parent = list.get_mut(before)?;
    parent.routes.push(route);
    let mut now = beside(place, before);
    now.push(parent.routes.len() - 1);
    Some(now)
}

/// Comes after its parent.
pub(super) fn unnest(routes: &mut Vec<Route>, place: &[usize]) -> Option<Place> {
    let (_, above) = place.split_last().filter(|(_, above)| !above.is_empty())?;
    let (list, number) = siblings(routes, place)?;
    let route = list.remove(number);
    let (list, parent) = siblings(routes, above)?;
    list.insert(parent + 1, route);
    Some(beside(above, parent + 1))
}

pub(super) fn remove(routes: &mut Vec<Route>, place: &[usize]) {
    if let Some((list, number)) = siblings(routes, place) {
        list.remove(number);
    }
}

/// A new route after this one; without a place it is the first of all.
pub(super) fn add_after(routes: &mut Vec<Route>, place: &[usize]) -> Option<Place> {
    let fresh = fresh(routes);
    if place.is_empty() {
        routes.insert(0, fresh);
        return Some(vec![0]);
    }
    let (list, number) = siblings(routes, place)?;
    list.insert(number + 1, fresh);
    Some(beside(place, number + 1))
}

/// A new route below this one, asked before the others there.
pub(super) fn add_below(routes: &mut [Route], place: &[usize]) -> Option<Place> {
    let fresh = fresh(routes);
    at_mut(routes, place)?.routes.insert(0, fresh);
    let mut now = place.to_vec();
    now.push(0);
    Some(now)
}

/// A route with an id no other one has. It asks for something, so that it does not take everything before it is done.
fn fresh(routes: &[Route]) -> Route {
    let id = (1..).map(|n| format!("route{n}")).find(|id| !is_there(routes, id)).unwrap_or_default();
    Route { id: RouteId::from(id), matches: vec!["host=".to_owned()], ..Route::default() }
}

fn is_there(routes: &[Route], id: &str) -> bool {
    routes.iter().any(|route| route.id.as_str() == id || is_there(&route.routes, id))
}

/// Where a check names it: `routes[db].routes[notes]`.
pub(super) fn path(routes: &[Route], place: &[usize]) -> String {
    let mut path = String::new();
    for depth in 1..=place.len() {
        let id = place.get(..depth).and_then(|place| at(routes, place)).map(|route| route.id.as_str());
        path.push_str(if depth == 1 { "routes[" } else { ".routes[" });
        path.push_str(id.unwrap_or_default());
        path.push(']');
    }
    path
}

/// The field of this very route a finding is about; empty for all of it.
pub(super) fn field<'a>(here: &str, path: &'a str) -> Option<&'a str> {
    let rest = path.strip_prefix(here)?;
    if rest.is_empty() {
        return Some(rest);
    }
    rest.strip_prefix('.').filter(|field| !field.starts_with("routes["))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Vec<Route> {
        let route = |id: &str, routes: Vec<Route>| Route { id: id.into(), routes, ..Route::default() };
        vec![route("a", vec![route("a1", Vec::new()), route("a2", Vec::new())]), route("b", Vec::new())]
    }

    fn shown(routes: &[Route]) -> String {
        let one = |route: &Route| match route.routes.as_slice() {
            [] => route.id.to_string(),
            below => format!("{}({})", route.id, shown(below)),
        };
        routes.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn routes_move_among_themselves_in_and_out() {
        let mut routes = tree();
        assert_eq!(up(&mut routes, &[0, 1]), Some(vec![0, 0]));
        assert_eq!(shown(&routes), "a(a2 a1) b");
        assert_eq!((down(&mut routes, &[0, 0]), down(&mut routes, &[1])), (Some(vec![0, 1]), None));
        assert_eq!((up(&mut routes, &[0]), shown(&routes)), (None, "a(a1 a2) b".to_owned()));
        assert_eq!(nest(&mut routes, &[1]), Some(vec![0, 2]));
        assert_eq!(shown(&routes), "a(a1 a2 b)");
        assert_eq!(unnest(&mut routes, &[0, 1]), Some(vec![1]));
        assert_eq!(shown(&routes), "a(a1 b) a2");
        assert_eq!((unnest(&mut routes, &[1]), nest(&mut routes, &[0])), (None, None));
        assert_eq!(shown(&routes), "a(a1 b) a2");
    }

    #[test]
    fn routes_come_and_go_with_ids_of_their_own() {
        let mut routes = tree();
        assert_eq!(add_after(&mut routes, &[0]), Some(vec![1]));
        assert_eq!(add_below(&mut routes, &[1]), Some(vec![1, 0]));
        assert_eq!(add_after(&mut routes, &[]), Some(vec![0]));
        assert_eq!(shown(&routes), "route3 a(a1 a2) route1(route2) b");
        remove(&mut routes, &[2, 0]);
        remove(&mut routes, &[1]);
        assert_eq!(shown(&routes), "route3 route1 b");
    }

    #[test]
    fn a_finding_belongs_to_one_route() {
        let routes = tree();
        let here = path(&routes, &[0, 1]);
        assert_eq!(here, "routes[a].routes[a2]");
        assert_eq!(field(&here, "routes[a].routes[a2].match[0]"), Some("match[0]"));
        assert_eq!(field("routes[a]", &here), None);
        assert_eq!(field("routes[a]", "routes[a]"), Some(""));
        assert_eq!(field("routes[a]", "routes[ab]"), None);
    }
}
