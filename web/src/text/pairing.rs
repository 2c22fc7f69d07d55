//! Pairing an app on a phone by a picture.

shared::messages! {
    title() { en: "Pair a phone", zh: "配对手机" }
    lead() { en: "For your company's own app. Whoever reads the code is you: show it to nobody.", zh: "供贵公司自有 App 使用。扫码者即拥有您的身份，请勿给他人看。" }
    show() { en: "Show the code", zh: "显示二维码" }
    another() { en: "Another code", zh: "换一个" }
    picture() { en: "Code to be read by the app", zh: "供 App 扫描的二维码" }
    typed() { en: "Or type this in the app", zh: "或在 App 中输入" }
    ends_in(left: &str) { en: "Works once, for {left} more", zh: "仅可使用一次，{left} 后失效" }
    ended() { en: "This code is too old; ask for another one.", zh: "二维码已过期，请重新获取。" }
}
