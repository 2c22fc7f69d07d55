//! What a browser says of itself, read for two things: what to call the device, and which guide its owner needs.

/// The system a device runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum System {
    Ios,
    Android(Maker),
    Desktop,
}

/// Whose Android it is: each stops applications in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Maker {
    Xiaomi,
    Huawei,
    Oppo,
    Vivo,
    Samsung,
    Other,
}

impl Maker {
    pub(super) const ALL: [Self; 6] = [Self::Xiaomi, Self::Huawei, Self::Oppo, Self::Vivo, Self::Samsung, Self::Other];

    /// How models of the maker are named in what browsers say; in lower case.
    const fn marks(self) -> &'static [&'static str] {
        match self {
            Self::Xiaomi => &["xiaomi", "miuibrowser", "redmi", "poco", "; mi ", "mix "],
            Self::Huawei => &["huawei", "honor", "harmonyos", "hmscore"],
            Self::Oppo => &["oppo", "heytap", "realme", "rmx", "oneplus", "; cph"],
            Self::Vivo => &["vivo", "iqoo"],
            Self::Samsung => &["samsung", "; sm-"],
            Self::Other => &[],
        }
    }
}

/// The system behind a user agent; `touch` is whether the screen is touched, by which an iPad is told from a Mac.
pub(super) fn system(agent: &str, touch: bool) -> System {
    let agent = agent.to_ascii_lowercase();
    if ["iphone", "ipad", "ipod"].iter().any(|mark| agent.contains(mark)) || (agent.contains("macintosh") && touch) {
        return System::Ios;
    }
    if !agent.contains("android") && !agent.contains("harmonyos") {
        return System::Desktop;
    }
    let is = |maker: &Maker| maker.marks().iter().any(|mark| agent.contains(mark));
    System::Android(Maker::ALL.into_iter().find(is).unwrap_or(Maker::Other))
}

/// What a device is called until its owner says otherwise: “Chrome on Android”.
pub(super) fn label(agent: &str, touch: bool, join: &dyn Fn(&str, &str) -> String) -> String {
    let browsers = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser", "Samsung Internet"),
        ("MiuiBrowser", "Mi Browser"),
        ("HuaweiBrowser", "Huawei Browser"),
        ("Firefox", "Firefox"),
        ("FxiOS", "Firefox"),
        ("CriOS", "Chrome"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    ];
    let browser = browsers.into_iter().find(|(mark, _)| agent.contains(mark)).map_or("Browser", |(_, name)| name);
    let place = match system(agent, touch) {
        System::Ios if agent.contains("iPhone") => "iPhone",
        System::Ios => "iPad",
        System::Android(_) => "Android",
        System::Desktop if agent.contains("Windows") => "Windows",
        System::Desktop if agent.contains("Macintosh") => "Mac",
        System::Desktop if agent.contains("CrOS") => "ChromeOS",
        System::Desktop if agent.contains("Linux") => "Linux",
        System::Desktop => return browser.to_owned(),
    };
    join(browser, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIXEL: &str =
        "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 Chrome/150.0.0.0 Mobile Safari/537.36";
    const IPHONE: &str =
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile Safari/604.1";
    const MAC: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 Version/18.0 Safari/605.1";
    const EDGE: &str = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/150.0 Safari/537.36 Edg/150.0";

    fn called(agent: &str, touch: bool) -> String {
        label(agent, touch, &|browser, place| format!("{browser} on {place}"))
    }

    #[test]
    fn devices_are_called_by_browser_and_system() {
        let names =
            [called(PIXEL, true), called(IPHONE, true), called(MAC, false), called(MAC, true), called(EDGE, false)];
        let wanted = ["Chrome on Android", "Safari on iPhone", "Safari on Mac", "Safari on iPad", "Edge on Windows"];
        assert_eq!(names, wanted);
        assert_eq!(called("curl/8", false), "Browser");
    }

    #[test]
    fn the_maker_of_a_phone_is_seen_from_its_model() {
        let of = |model: &str| system(&PIXEL.replace("Pixel 8", model), true);
        let makers = ["Redmi Note 12", "HUAWEI P60", "CPH2449", "vivo V29", "SM-S921B", "Pixel 8"].map(of);
        assert_eq!(makers, Maker::ALL.map(System::Android));
        assert_eq!((system(IPHONE, true), system(EDGE, true)), (System::Ios, System::Desktop));
    }
}
