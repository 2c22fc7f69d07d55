//! Elements as data: what a page draws is computed and tested without a browser, and one function puts it there.
//!
//! A picture of hundreds of elements costs a few bytes of code each this way, where a typed view costs a function each.

/// An element with its attributes, its place and its children.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Node {
    pub(crate) tag: &'static str,
    pub(crate) text: String,
    pub(crate) attributes: Vec<(&'static str, String)>,
    /// Set one by one, because the content policy forbids a `style` attribute.
    pub(crate) styles: Vec<(&'static str, String)>,
    pub(crate) children: Vec<Node>,
}

impl Node {
    pub(crate) fn new(tag: &'static str, class: &str) -> Self {
        let node = Self { tag, ..Self::default() };
        if class.is_empty() { node } else { node.set("class", class) }
    }

    /// An element that holds a text.
    pub(crate) fn of(tag: &'static str, class: &str, text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::new(tag, class) }
    }

    /// A button; `act` and `n` come back when it is pressed.
    pub(crate) fn button(class: &str, act: &str, n: usize, text: impl Into<String>) -> Self {
        Self::of("button", class, text).set("type", "button").act(act, n)
    }

    pub(crate) fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// An attribute that is there or not.
    pub(crate) fn flag(self, name: &'static str, is: bool) -> Self {
        if is { self.set(name, "") } else { self }
    }

    pub(crate) fn act(self, act: &str, n: usize) -> Self {
        self.set("data-act", act).set("data-n", n.to_string())
    }

    pub(crate) fn style(mut self, name: &'static str, value: String) -> Self {
        self.styles.push((name, value));
        self
    }

    /// Across its box, in percent.
    pub(crate) fn across(self, left: f64, width: f64) -> Self {
        self.style("left", format!("{left:.3}%")).style("width", format!("{width:.3}%"))
    }

    pub(crate) fn with(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    pub(crate) fn maybe(self, child: Option<Self>) -> Self {
        match child {
            Some(child) => self.with(child),
            None => self,
        }
    }

    pub(crate) fn all(mut self, children: Vec<Self>) -> Self {
        self.children.extend(children);
        self
    }
}

#[cfg(test)]
impl Node {
    /// The value of an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str())
    }

    /// It and everything in it that has a class.
    pub(crate) fn find(&self, class: &str) -> Vec<&Self> {
        let own = self.attribute("class").is_some_and(|all| all.split(' ').any(|one| one == class));
        let inner = self.children.iter().flat_map(|child| child.find(class));
        own.then_some(self).into_iter().chain(inner).collect()
    }

    /// Everything it says.
    pub(crate) fn words(&self) -> String {
        let parts = std::iter::once(self.text.clone()).chain(self.children.iter().map(Self::words));
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}
