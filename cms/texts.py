"""The words that a new company's pages begin with; its editors change them as they like."""

HELP_TITLE = "帮助"
HELP_TITLE_EN = "Help"
HELP_INTRO = "积分怎么用，没到账怎么办，换了手机号找谁。"

HELP = [
    {"type": "heading", "value": "积分从哪里来"},
    {
        "type": "paragraph",
        "value": "<p>积分由公司发放，每一笔都有自己的到期日。兑换时先用最早到期的。"
        "积分不能提现，也不能转给别人。</p>",
    },
    {"type": "heading", "value": "没有到账怎么办"},
    {
        "type": "paragraph",
        "value": "<p>话费和流量通常在几分钟内到账，订单页会自己更新，不必刷新。"
        "如果供应商明确失败，积分会自动退回到原来的批次，到期日不变；"
        "退回时已经到期的，会延长一段时间让你用完，钱包里会写明。"
        "还在处理中时，系统会一直查询到有结果为止；请不要重复下单。</p>",
    },
    {"type": "heading", "value": "手机号变了"},
    {"type": "paragraph", "value": "<p>你的手机号来自公司花名册。需要更改时请联系人事部门。</p>"},
    {"type": "heading", "value": "我的个人信息"},
    {
        "type": "paragraph",
        "value": "<p>福利商城只保存发放和兑换福利所必需的信息：工号、姓名、手机号和部门。"
        "手机号和生日加密保存，页面上只显示一部分。兑换记录按法律要求保存三年；离职后个人信息会被匿名化。</p>",
    },
]

HELP_EN = [
    {"type": "heading", "value": "Where points come from"},
    {
        "type": "paragraph",
        "value": "<p>Your company grants them, and each grant has its own expiry. The earliest to expire are spent first. "
        "Points are not cash and cannot be passed on.</p>",
    },
    {"type": "heading", "value": "When something has not arrived"},
    {
        "type": "paragraph",
        "value": "<p>Phone credit and data usually arrive within minutes; the order's page updates by itself. "
        "If it definitely failed, your points return to where they came from, with the same expiry; "
        "those that are over by then live on for a while, which your wallet tells. "
        "While it is in process we keep asking until we know; please do not order again.</p>",
    },
    {"type": "heading", "value": "A new mobile number"},
    {
        "type": "paragraph",
        "value": "<p>Your number comes from your company's roster. Ask your HR department to change it.</p>",
    },
    {"type": "heading", "value": "What we know about you"},
    {
        "type": "paragraph",
        "value": "<p>Only what benefits need: your number, name, mobile and department. Mobile and birthday are encrypted "
        "and shown in part. Records of what was redeemed are kept for three years as the law asks; after you leave, "
        "your personal data is made anonymous.</p>",
    },
]
