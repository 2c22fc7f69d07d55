//! Charts: what stands on them and how they are said.

shared::messages! {
    stale(since: &str) { en: "no data since {since}", zh: "{since} 起无数据" }
    loading() { en: "loading…", zh: "加载中…" }
    failed() { en: "could not be loaded", zh: "加载失败" }
    nothing() { en: "nothing was measured in this time", zh: "该时段没有数据" }
    summary(title: &str, lines: &str) { en: "{title}: {lines}", zh: "{title}：{lines}" }
    summary_nothing(title: &str) { en: "{title}: nothing was measured", zh: "{title}：没有数据" }
    summary_line(name: &str, last: &str, least: &str, most: &str, mean: &str) { en: "{name} {last}, from {least} to {most}, {mean} on average", zh: "{name} {last}，范围 {least} 至 {most}，平均 {mean}" }
    mean_and_most(mean: &str, most: &str) { en: "{mean}, at most {most}", zh: "{mean}，最高 {most}" }
    highest(name: &str) { en: "{name}, highest", zh: "{name}（最高）" }
    most(most: &str) { en: "max {most}", zh: "最高 {most}" }
    table() { en: "Table", zh: "表格" }
    picture() { en: "Picture", zh: "图形" }
    table_of(title: &str) { en: "Table of {title}", zh: "{title} 表格" }
    picture_of(title: &str) { en: "Picture of {title}", zh: "{title} 图形" }
    time() { en: "Time", zh: "时间" }
    keys() { en: "Arrow keys move through time, + and − zoom, 0 goes back, T shows a table.", zh: "方向键在时间上移动，+ 和 − 缩放，0 还原，T 显示表格。" }
    others() { en: "others", zh: "其他" }
    more_lines(n: usize) { en: "{n} more, all lower: see the table", zh: "另有 {n} 个较低，见表格" }
    more_strips(n: usize) { en: "{n} more: see the table", zh: "另有 {n} 个，见表格" }
    zoom_in() { en: "Zoom in", zh: "放大" }
    zoom_out() { en: "Zoom out", zh: "缩小" }
    zoom_reset() { en: "Back to the range", zh: "还原范围" }
}

/// Between the lines of a summary.
pub(crate) const fn list_sign(l: shared::config::Language) -> &'static str {
    match l {
        shared::config::Language::En => "; ",
        shared::config::Language::Zh => "；",
    }
}

/// Between the parts of what is said.
pub(crate) const fn comma(l: shared::config::Language) -> &'static str {
    match l {
        shared::config::Language::En => ", ",
        shared::config::Language::Zh => "，",
    }
}
