//! Line icons, drawn in the text's colour.

use leptos::prelude::*;

/// A 24 × 24 outline; decoration only, the words stand beside it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Icon {
    Bell,
    Board,
    OnCall,
    Policies,
    Routes,
    Integrations,
    Heartbeats,
    Hosts,
    Machines,
    Messages,
    Mirrors,
    Analytics,
    Deliveries,
    Settings,
    Status,
    More,
    Search,
    Check,
    Cross,
    Copy,
    Arrow,
    Clock,
    Hand,
    Undo,
    Warning,
    Plug,
    Trash,
    Plus,
    Quiet,
    Wrench,
    Phone,
}

impl Icon {
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Phone => "M7 3h10v18H7zM11 18h2",
            Self::Bell => "M6 16V10a6 6 0 0 1 12 0v6l2 2H4zM10 21h4",
            Self::Board => "M4 5h16M4 10h16M4 15h16M4 20h10",
            Self::OnCall => "M8 3v3M16 3v3M4 8h16M5 5h14v15H5zM9 13l2 2 4-4",
            Self::Policies => "M6 4h12v4H6zM12 8v3M6 11h12v4H6zM12 15v2M9 17h6v3H9z",
            Self::Routes => "M4 6h5l6 12h5M9 6h11M17 3l3 3-3 3M17 15l3 3-3 3",
            Self::Integrations => "M9 3v5M15 3v5M7 8h10v4a5 5 0 0 1-10 0zM12 17v4",
            Self::Heartbeats => {
                "M12 20C5 15 3 12 3 8.500A4.500 4.500 0 0 1 12 7a4.500 4.500 0 0 1 9 1.500C21 12 19 15 12 20zM5 12h4l2-3 2 5 1.500-2H19"
            }
            Self::Hosts => "M4 5h16v11H4zM9 20h6M12 16v4M7 12l2-3 2 2 3-4 3 4",
            Self::Machines => "M4 4h16v6H4zM4 14h16v6H4zM8 7h.01M8 17h.01M12 7h5M12 17h5",
            Self::Messages => "M4 5h16v11H9l-5 4zM8 9h8M8 12h5",
            Self::Mirrors => "M3 8h17M16 4l4 4-4 4M3 17h3M9 17h3M15 17h5M17 14l3 3-3 3",
            Self::Analytics => "M4 4v16h16M8 16v-4M12 16V7M16 16v-6",
            Self::Deliveries => "M21 4L3 11l6 3 3 6zM21 4L9 14",
            Self::Settings => "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4",
            Self::Status => "M3 12h4l3-7 4 14 3-7h4",
            Self::More => {
                "M4 12a1 1 0 1 0 2 0 1 1 0 1 0-2 0M11 12a1 1 0 1 0 2 0 1 1 0 1 0-2 0M18 12a1 1 0 1 0 2 0 1 1 0 1 0-2 0"
            }
            Self::Search => "M11 4a7 7 0 1 0 .01 0M16 16l5 5",
            Self::Check => "M5 13l4 4L19 7",
            Self::Cross => "M6 6l12 12M18 6L6 18",
            Self::Copy => "M9 9h11v11H9zM5 15H4V4h11v1",
            Self::Arrow => "M5 12h14M13 6l6 6-6 6",
            Self::Clock => "M12 4a8 8 0 1 0 .01 0M12 8v5l3 2",
            Self::Hand => {
                "M8 12V6a1.500 1.500 0 0 1 3 0v5V4.500a1.500 1.500 0 0 1 3 0V11V6a1.500 1.500 0 0 1 3 0v8a6 6 0 0 1-6 6c-3 0-4-1-7-6l1.500-1L8 15z"
            }
            Self::Undo => "M9 7L5 11l4 4M5 11h9a5 5 0 0 1 0 10h-3",
            Self::Warning => "M12 4L2.500 20h19zM12 10v4M12 17h.01",
            Self::Plug => "M12 20v-5M8 3v5M16 3v5M6 8h12v3a6 6 0 0 1-12 0z",
            Self::Trash => "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Quiet => "M8 5a6 6 0 0 1 10 5v4M6 10v6l-2 2h12M10 21h4M4 3l16 18",
            Self::Wrench => "M14 6a4 4 0 0 1 5-2l-3 3 1 2 2 1 3-3a4 4 0 0 1-6 5l-8 8-2-2 8-8a4 4 0 0 1 0-4z",
        }
    }
}

pub(crate) fn icon(icon: Icon) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
            <path d=icon.path()></path>
        </svg>
    }
}
