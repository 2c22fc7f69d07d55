//! Reads XML as it arrives, one wanted element after the other, and writes what is asked. Total and bounded: a stranger's
//! bytes give elements or a reason, and no more memory is held than one element takes.

use quick_xml::{
    Reader, XmlVersion,
    escape::{escape, resolve_predefined_entity},
    events::{BytesRef, BytesStart, Event},
};
use tokio::io::{AsyncBufRead, AsyncReadExt as _, Take};

/// Bytes of one wanted element, or of what stands between two. A VM with a hundred devices has 200 kB.
const ELEMENT_BYTES: u64 = 8 << 20;
/// Elements within one: short names would make much memory of few bytes.
const NODES_MAX: usize = 100_000;
/// Answers of vSphere have about 15.
const DEPTH_MAX: usize = 64;
/// Of a whole answer: ten thousand VMs in one have 200 MB.
const ANSWER_BYTES: u64 = 2 << 30;

/// Why an answer cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum XmlFault {
    #[error("it is no XML: {0}")]
    Syntax(#[from] quick_xml::Error),
    #[error("it ends in the middle")]
    CutOff,
    #[error("it does not arrive whole: {0}")]
    Broken(std::io::Error),
    #[error("it is larger or deeper than any answer that is known")]
    TooLarge,
    #[error("it has a part that answers never have: {0}")]
    Strange(&'static str),
}

/// An element with everything in it. Prefixes of names are left out: each answer has one vocabulary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    /// Which type of its family it is (`xsi:type`), without prefix.
    pub(crate) kind: String,
    /// The type of the object a reference names (`type`).
    pub(crate) of: String,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// The first child of a name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// What is down a path of names.
    pub(crate) fn at(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, Self::child)
    }

    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text down a path of names, unless it is empty.
    pub(crate) fn text_at(&self, path: &str) -> Option<&str> {
        self.at(path).map(|element| element.text.as_str()).filter(|text| !text.is_empty())
    }

    /// The truth down a path of names, as XML Schema writes it.
    pub(crate) fn truth_at(&self, path: &str) -> Option<bool> {
        match self.text_at(path)? {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }
}

/// The wanted elements of one document.
pub(crate) struct Elements<R> {
    reader: Reader<Take<R>>,
    buffer: Vec<u8>,
    /// Open elements that are not wanted.
    depth: usize,
    begun: bool,
}

/// What an event says, free of the buffer it was read into.
enum Step {
    Open(Element),
    Shut,
    Whole(Element),
    Text(String),
    Nothing,
    End,
}

impl<R: AsyncBufRead + Unpin> Elements<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { reader: Reader::from_reader(source.take(ELEMENT_BYTES)), buffer: Vec::new(), depth: 0, begun: false }
    }

    /// The next element of one of these names; all others are opened and passed through. None at the end.
    pub(crate) async fn next(&mut self, wanted: &[&str]) -> Result<Option<Element>, XmlFault> {
        loop {
            self.reader.get_mut().set_limit(ELEMENT_BYTES);
            match self.step().await? {
                Step::Open(element) if wanted.contains(&element.name.as_str()) => {
                    return self.whole(element).await.map(Some);
                }
                Step::Whole(element) if wanted.contains(&element.name.as_str()) => return Ok(Some(element)),
                Step::Open(_) if self.depth >= DEPTH_MAX => return Err(XmlFault::TooLarge),
                Step::Open(_) => self.depth += 1,
                Step::Shut => self.depth = self.depth.saturating_sub(1),
                Step::Whole(_) | Step::Text(_) | Step::Nothing => {}
                Step::End if self.depth > 0 || !self.begun => return Err(XmlFault::CutOff),
                Step::End => return Ok(None),
            }
        }
    }

    /// Reads up to where `root`, just opened, is shut.
    async fn whole(&mut self, root: Element) -> Result<Element, XmlFault> {
        let mut open = vec![root];
        let mut nodes = 0_usize;
        loop {
            let step = self.step().await?;
            nodes += usize::from(matches!(step, Step::Open(_) | Step::Whole(_)));
            if nodes > NODES_MAX || self.depth + open.len() > DEPTH_MAX {
                return Err(XmlFault::TooLarge);
            }
            let shut = match step {
                Step::Open(element) => {
                    open.push(element);
                    None
                }
                Step::Whole(element) => Some(element),
                Step::Shut => open.pop(),
                Step::Text(text) => {
                    open.iter_mut().next_back().into_iter().for_each(|element| element.text.push_str(&text));
                    None
                }
                Step::Nothing => None,
                Step::End => return Err(XmlFault::CutOff),
            };
            let Some(mut element) = shut else { continue };
            if !element.children.is_empty() {
                // What stands between children is indentation.
                element.text = String::new();
            }
            match open.last_mut() {
                Some(parent) => parent.children.push(element),
                None => return Ok(element),
            }
        }
    }

    async fn step(&mut self) -> Result<Step, XmlFault> {
        self.buffer.clear();
        let read = self.reader.read_event_into_async(&mut self.buffer).await;
        let step = match read {
            Ok(event) => step_of(event),
            Err(quick_xml::Error::Io(error)) => Err(XmlFault::Broken(std::io::Error::new(error.kind(), error))),
            Err(error) => Err(XmlFault::Syntax(error)),
        };
        // At the limit the reader takes what it has for all there is.
        if self.reader.get_ref().limit() == 0 || self.reader.buffer_position() > ANSWER_BYTES {
            return Err(XmlFault::TooLarge);
        }
        self.begun |= matches!(step, Ok(Step::Open(_) | Step::Whole(_)));
        step
    }
}

fn step_of(event: Event<'_>) -> Result<Step, XmlFault> {
    Ok(match event {
        Event::Start(tag) => Step::Open(opened(&tag)?),
        Event::Empty(tag) => Step::Whole(opened(&tag)?),
        Event::End(_) => Step::Shut,
        Event::Text(text) => Step::Text(text.xml10_content().into_owned()),
        Event::CData(text) => Step::Text(text.xml10_content().into_owned()),
        Event::GeneralRef(reference) => Step::Text(resolved(&reference)?),
        Event::DocType(_) => return Err(XmlFault::Strange("a document type")),
        Event::Decl(_) | Event::PI(_) | Event::Comment(_) => Step::Nothing,
        Event::Eof => Step::End,
    })
}

fn opened(tag: &BytesStart<'_>) -> Result<Element, XmlFault> {
    let mut element = Element { name: tag.local_name().as_ref().to_owned(), ..Element::default() };
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(quick_xml::Error::from)?;
        if attribute.key.local_name().as_ref() != "type" {
            continue;
        }
        let value = attribute.normalized_value(XmlVersion::Implicit1_0)?;
        match attribute.key.prefix() {
            Some(_) => element.kind = value.rsplit(':').next().unwrap_or_default().to_owned(),
            None => element.of = value.into_owned(),
        }
    }
    Ok(element)
}

/// The five entities that need no document type, and characters by number.
fn resolved(reference: &BytesRef<'_>) -> Result<String, XmlFault> {
    if let Some(character) = reference.resolve_char_ref()? {
        return Ok(character.to_string());
    }
    resolve_predefined_entity(reference).map(str::to_owned).ok_or(XmlFault::Strange("an entity"))
}

/// XML that is written from the inside out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written(String);

impl Written {
    /// An element with a text.
    pub(crate) fn text(mut self, name: &str, text: &str) -> Self {
        self.0.push_str(&format!("<{name}>{}</{name}>", escape(text)));
        self
    }

    /// One element for each text.
    pub(crate) fn texts<'a>(self, name: &str, texts: impl IntoIterator<Item = &'a str>) -> Self {
        texts.into_iter().fold(self, |written, text| written.text(name, text))
    }

    /// An element that names an object.
    pub(crate) fn reference(mut self, name: &str, kind: &str, id: &str) -> Self {
        self.0.push_str(&format!("<{name} type=\"{}\">{}</{name}>", escape(kind), escape(id)));
        self
    }

    /// An element with others in it.
    pub(crate) fn inside(mut self, name: &str, inner: &Self) -> Self {
        self.0.push_str(&format!("<{name}>{}</{name}>", inner.0));
        self
    }

    /// The same with the type it is of its family.
    pub(crate) fn typed(mut self, name: &str, kind: &str, inner: &Self) -> Self {
        self.0.push_str(&format!("<{name} xsi:type=\"{kind}\">{}</{name}>", inner.0));
        self
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8], wanted: &[&str]) -> Result<Vec<Element>, XmlFault> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut elements = Elements::new(bytes);
            let mut found = Vec::new();
            while let Some(element) = elements.next(wanted).await? {
                found.push(element);
            }
            Ok(found)
        })
    }

    #[test]
    fn wanted_elements_come_one_by_one_wherever_they_are() {
        let xml = br#"<?xml version="1.0"?><s:Envelope xmlns:s="x"><s:Body><a>1</a><b><c x:type="y:Card" type="VirtualMachine">
            <d>&lt;&#x41;&amp;</d><e/><f><![CDATA[<g>]]></f></c></b><c>2</c></s:Body></s:Envelope>"#;
        let found = read(xml, &["c"]).unwrap();
        let [first, second] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((first.kind.as_str(), first.of.as_str(), first.text.as_str()), ("Card", "VirtualMachine", ""));
        assert_eq!((first.text_at("d"), first.text_at("e"), first.text_at("f")), (Some("<A&"), None, Some("<g>")));
        assert_eq!((second.text.as_str(), second.children.len()), ("2", 0));
        assert_eq!(read(xml, &["a", "b"]).unwrap().len(), 2);
        assert_eq!(read(xml, &["none"]).unwrap(), []);
    }

    #[test]
    fn what_is_no_answer_says_why() {
        for (xml, told) in [
            ("", "ends in the middle"),
            ("no xml at all", "ends in the middle"),
            ("<a><b>", "ends in the middle"),
            ("<a><b></a>", "no XML"),
            ("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "document type"),
            ("<w>&b;</w>", "an entity"),
        ] {
            let fault = read(xml.as_bytes(), &["w"]).unwrap_err().to_string();
            assert!(fault.contains(told), "{xml}: {fault}");
        }
    }

    #[test]
    fn depth_number_and_size_are_bounded() {
        let deep = "<a>".repeat(100);
        let deep_inside = format!("<w>{deep}");
        let many = format!("<w>{}</w>", "<a/>".repeat(NODES_MAX + 1));
        let large = format!("<w>{}</w>", "x".repeat(9 << 20));
        let large_outside = format!("<r><a>{}</a></r>", "x".repeat(9 << 20));
        let long_tag = format!("<{}", "x".repeat(9 << 20));
        for xml in [&deep, &deep_inside, &many, &large, &large_outside, &long_tag] {
            let fault = read(xml.as_bytes(), &["w"]).unwrap_err();
            assert!(matches!(fault, XmlFault::TooLarge), "{fault:?} for {}", &xml[..20]);
        }
        // Many elements that are each small are no trouble.
        let pages = format!("<r>{}</r>", "<w>0123456789</w>".repeat(1 << 19));
        assert_eq!(read(pages.as_bytes(), &["w"]).unwrap().len(), 1 << 19);
    }

    fn element() -> impl Strategy<Value = Element> {
        let leaf = ("[a-z]{1,6}", "\\PC{0,12}").prop_map(|(name, text)| Element { name, text, ..Element::default() });
        leaf.prop_recursive(4, 40, 6, |inner| {
            ("[a-z]{1,6}", prop::collection::vec(inner, 1..6)).prop_map(|(name, children)| Element {
                name,
                children,
                ..Element::default()
            })
        })
    }

    fn written(element: &Element) -> Written {
        if element.children.is_empty() {
            return Written::default().text(&element.name, &element.text);
        }
        let inner = element.children.iter().fold(Written::default(), |mut all, child| {
            all.0.push_str(written(child).as_str());
            all
        });
        Written::default().inside(&element.name, &inner)
    }

    proptest! {
        #[test]
        fn any_bytes_give_elements_or_a_reason(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            drop(read(&bytes, &["w", "a"]));
        }

        #[test]
        fn anything_like_xml_gives_elements_or_a_reason(xml in "(<w>|</w>|<a x:type=\"b\"|<a/>|<a>|</a>|&lt;|&#0;|&#xd800;|<!\\[CDATA\\[|\\]\\]>|<!--|-->|<\\?|>|é|\\PC){0,40}") {
            drop(read(xml.as_bytes(), &["w"]));
        }

        #[test]
        fn what_is_written_is_read_back(root in element()) {
            let wanted = root.name.clone();
            let read = read(written(&root).as_str().as_bytes(), &[&wanted]).unwrap();
            prop_assert_eq!(read, vec![root]);
        }
    }
}
