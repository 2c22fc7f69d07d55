//! Settings: how one is reached, one's sessions, and what administrators look after.

shared::messages! {
    broken() { en: "Does not work", zh: "已失效" }
    broken_mend() { en: "Change it, or send a test page to it: the next message that is taken clears this.", zh: "请修改，或发送一条测试通知：下一条成功接收的消息会清除此标记。" }
    lead() { en: "How you are reached, and what this server does.", zh: "如何联系您，以及本服务器的配置。" }
    tab_me() { en: "How I am reached", zh: "我的联系方式" }
    tab_security() { en: "Sign-in", zh: "登录安全" }
    tab_browser() { en: "This browser", zh: "本浏览器" }
    tab_accounts() { en: "Accounts", zh: "账户" }
    tab_tokens() { en: "API tokens", zh: "API 令牌" }
    tab_channels() { en: "Channels", zh: "通知渠道" }
    channels_lead() { en: "Addresses to enter at your providers, so that receipts, keys and replies come back. Part of some is secret.", zh: "请将以下地址填入服务商后台，以接收回执、按键和回复。部分地址含密钥，请勿外传。" }
    aliyun() { en: "Alibaba Cloud", zh: "阿里云" }
    tencent() { en: "Tencent Cloud", zh: "腾讯云" }
    channels_others(names: &str) { en: "Not set up: {names}.", zh: "未配置：{names}。" }
    tab_config() { en: "Configuration", zh: "配置" }
    tab_audit() { en: "Audit", zh: "审计" }
    no_person() { en: "This account is not a person of the on-call configuration, so it cannot be paged.", zh: "此账户未关联值班配置中的人员，因此不会收到通知。" }
    no_person_hint() { en: "An administrator links them under Accounts.", zh: "管理员可在“账户”中关联。" }
    no_contacts() { en: "No contact yet.", zh: "还没有联系方式。" }
    contacts() { en: "Contacts", zh: "联系方式" }
    contact_name() { en: "Name", zh: "名称" }
    contact_kind() { en: "Kind", zh: "类型" }
    address_email() { en: "E-mail address", zh: "邮箱地址" }
    address_ntfy() { en: "Topic", zh: "主题" }
    address_webhook() { en: "URL", zh: "URL" }
    address_number() { en: "Number, with its country (+49…)", zh: "号码，含国家代码（+86…）" }
    address_slack() { en: "Member or channel (U…, C…), or an incoming webhook", zh: "成员或频道（U…、C…），或传入 Webhook" }
    address_teams() { en: "Address of the workflow", zh: "工作流地址" }
    address_telegram() { en: "Number of the chat", zh: "会话 ID" }
    address_robot() { en: "Token of the robot, or its address", zh: "机器人令牌或地址" }
    address_wecom() { en: "Key of the robot, or user:NAME", zh: "机器人 key，或 user:成员名" }
    address_push() { en: "Every browser and phone you registered", zh: "您登记的所有浏览器和手机" }
    mention() { en: "Mentioned by number", zh: "@ 的手机号" }
    robot_secret_hint() { en: "Only where the robot's security is set to signing.", zh: "仅当机器人的安全设置为“加签”时填写。" }
    robot_secret() { en: "Signing secret of the robot", zh: "机器人加签密钥" }
    add_contact() { en: "Add a contact", zh: "添加联系方式" }
    remove() { en: "Remove", zh: "移除" }
    rules() { en: "Rules", zh: "规则" }
    rules_hint() { en: "The first rule that fits the level is followed. Without rules, every contact is used at once.", zh: "采用第一条符合级别的规则。没有规则时，同时使用所有联系方式。" }
    rule_for() { en: "For", zh: "对于" }
    every_level() { en: "every level", zh: "所有级别" }
    use_contact() { en: "use", zh: "使用" }
    then() { en: "then", zh: "然后" }
    at_once() { en: "at once", zh: "立即" }
    after(time: &str) { en: "after {time}", zh: "{time} 后" }
    when() { en: "When", zh: "何时" }
    add_step() { en: "then another", zh: "再加一步" }
    sets_hint() { en: "Or begin with what suits where you are:", zh: "或从适合您所在地的预设开始：" }
    set_international() { en: "International", zh: "国际" }
    set_china() { en: "Mainland China", zh: "中国大陆" }
    add_rule() { en: "Add a rule", zh: "添加规则" }
    rule_number(n: usize) { en: "Rule {n}", zh: "规则 {n}" }
    preview(n: usize) { en: "Rule {n}: the first ten minutes", zh: "规则 {n}：前十分钟" }
    remove_rule() { en: "Remove the rule", zh: "移除规则" }
    language_of_pages() { en: "Language of your pages", zh: "通知语言" }
    zone() { en: "Time zone of your pages", zh: "通知时区" }
    zone_default() { en: "the server's default", zh: "服务器默认" }
    quiet_hours() { en: "Quiet hours", zh: "免打扰时段" }
    quiet_from() { en: "From", zh: "开始" }
    quiet_until() { en: "Until", zh: "结束" }
    quiet_hint() { en: "Every day, by the clock of your time zone. Only a P0 rings then; the rest waits for the end.", zh: "每天按您所在时区的时间。期间仅 P0 会通知，其余等到时段结束。" }
    rule_waits(hours: &str) { en: "From {hours} only a P0 does this; the rest waits for the end of your quiet hours.", zh: "{hours} 期间仅 P0 按此通知，其余等到免打扰时段结束。" }
    quiet_finer() { en: "Your quiet hours differ by day: they are changed in the configuration.", zh: "您的免打扰时段按日期不同，请在配置中修改。" }
    quiet_stand_in(who: &str) { en: "{who} is paged for a P0 or P1 meanwhile, if they can be.", zh: "期间的 P0、P1 将尽可能改为通知 {who}。" }
    password() { en: "Password", zh: "密码" }
    password_old() { en: "Old password", zh: "原密码" }
    password_new() { en: "New password", zh: "新密码" }
    password_change() { en: "Change password", zh: "修改密码" }
    password_hint() { en: "All other sessions are signed out.", zh: "其他会话将全部退出。" }
    password_done() { en: "Password changed; other sessions are signed out", zh: "密码已修改，其他会话已退出" }
    sessions() { en: "Sessions", zh: "会话" }
    this_session() { en: "this browser", zh: "本浏览器" }
    last_seen(time: &str) { en: "last seen {time} ago", zh: "{time}前活动" }
    signed_in_at(at: &str) { en: "signed in {at}", zh: "{at} 登录" }
    end() { en: "Sign out", zh: "退出" }
    login() { en: "Login", zh: "用户名" }
    name() { en: "Name", zh: "姓名" }
    role() { en: "Role", zh: "角色" }
    person() { en: "Person", zh: "人员" }
    person_none() { en: "nobody", zh: "无" }
    disabled() { en: "disabled", zh: "已停用" }
    disable() { en: "Disable", zh: "停用" }
    enable() { en: "Enable", zh: "启用" }
    reset() { en: "Set password", zh: "重设密码" }
    reset_of(login: &str) { en: "New password for {login}", zh: "为 {login} 设置新密码" }
    reset_done(login: &str) { en: "{login} has a new password and is signed out everywhere", zh: "{login} 的密码已重设，并已在各处退出" }
    secret() { en: "Signing secret", zh: "签名密钥" }
    secret_hint() { en: "whsec_…, so that the receiver can tell our pages from others.", zh: "whsec_…，便于接收方验证来源。" }
    new_account() { en: "New account", zh: "新建账户" }
    first_password() { en: "First password", zh: "初始密码" }
    create() { en: "Create", zh: "创建" }
    account_made(login: &str) { en: "Account {login} made", zh: "账户 {login} 已创建" }
    token_name() { en: "What it is for", zh: "用途" }
    new_token() { en: "New API token", zh: "新建 API 令牌" }
    token_once() { en: "Shown once; copy it now.", zh: "仅显示一次，请立即复制。" }
    last_used() { en: "Last used", zh: "最近使用" }
    never() { en: "never", zh: "从未" }
    ago(time: &str) { en: "{time} ago", zh: "{time}前" }
    revoke() { en: "Revoke", zh: "吊销" }
    no_tokens() { en: "No API token.", zh: "没有 API 令牌。" }
    config_lead() { en: "People, schedules, policies and routes as one document. Nothing changes until it is applied.", zh: "人员、值班表、策略和路由合为一份文档。应用前不会产生任何更改。" }
    example_title() { en: "This document is empty: no alert wakes anybody.", zh: "此文档为空：任何告警都不会叫醒人。" }
    example_lead() { en: "The example is you, with a phone that runs the ntfy app, and one policy for everything. Look it over, then check and apply it.", zh: "示例包含您本人（手机安装 ntfy 应用）和一个适用于所有告警的策略。请查看、检查后应用。" }
    example_fill() { en: "Fill in the example", zh: "填入示例" }
    example_fallback() { en: "Whom a P0 wakes that no route takes.", zh: "没有路由接收的 P0 叫醒谁。" }
    example_topic() { en: "Pages go to this server; subscribe to the topic below in the ntfy app on your phone.", zh: "通知发往此服务器；请在手机的 ntfy 应用中订阅下面的主题。" }
    example_route() { en: "Every alert takes this route.", zh: "所有告警都走这条路由。" }
    config_label() { en: "Configuration (TOML)", zh: "配置（TOML）" }
    check() { en: "Check", zh: "检查" }
    apply() { en: "Apply", zh: "应用" }
    applied(version: i64) { en: "Applied: version {version} is in force", zh: "已应用：版本 {version} 生效" }
    checked() { en: "Checked: nothing was changed", zh: "已检查：未做任何更改" }
    refused() { en: "Refused: mend the findings below", zh: "被拒绝：请修正以下问题" }
    changes() { en: "Changes", zh: "更改" }
    no_changes() { en: "no change", zh: "无更改" }
    findings() { en: "Findings", zh: "问题" }
    error() { en: "error", zh: "错误" }
    warning() { en: "warning", zh: "警告" }
    tests() { en: "Tests", zh: "测试" }
    passed() { en: "passed", zh: "通过" }
    failed() { en: "failed", zh: "失败" }
    audit_when() { en: "When", zh: "时间" }
    audit_who() { en: "Who", zh: "操作者" }
    audit_what() { en: "What", zh: "操作" }
    audit_outcome() { en: "Outcome", zh: "结果" }
    unsaved() { en: "Not saved yet", zh: "尚未保存" }
}
