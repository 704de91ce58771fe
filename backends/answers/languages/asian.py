"""The words of Chinese, Japanese, Korean, Thai, Hindi, Vietnamese and Indonesian."""

from __future__ import annotations

from backends.answers.vocabulary import Part

CHINESE_AND_JAPANESE = {
    Part.FILLER: """
        的 了 吗 呢 吧 啊 是 在 有 个 一 这 那 该 此 张 張 之 和 与 或 并 且 也 都 就 才 再 先 还
        還 已 很 可以 可能 似乎 好像 看来 目前 暂时 现在 当前 直接 任何 相关 具体 以便 以及 因为
        因此 所以 但 但是 如果 若 那么 后 之后 进行 来 给 为 對 对 对于 关于 于 其 中 里 到 得 地
        会 能 要 想 需要 希望 重新 一下 一次 再次 试 尝试 其他 什么 怎么 您好 你好 好 方 更 能够
        然后 由于 根据 提到 说 做 两 句话 一些 当 能力 成功 正常 現在 直 度 度目 必要 可能性 場合
        方法 何 他 別 今 回 上 下 内 点 点击 地方 感谢 ご お 様 等 など 残念 大変 恐 入 思 願 致
        以 外 际 际上 实
        """,
    Part.TOPIC: "人物 人 身份 名字 面部 个人 個人 未成年 医疗",
    Part.SELF: "我 我们 我們 私 こちら 当方",
    Part.YOU: "您 你 あなた 用户 ユーザー お客様",
    Part.ASK: "请 請 麻烦 烦请 ください 下さい いただけ お願い 能否 可否",
    Part.SORRY: """
        抱歉 对不起 對不起 遗憾 遺憾 不好意思 申し訳 すみません ごめん 歉意 申し訳ございません
        申し訳ありません できかねます いたしかねます かねます
        """,
    Part.ROLE: """
        语言模型 語言模型 模型 人工智能 助手 文本 作为 作為 言語モデル モデル アシスタント
        テキスト 機能 功能 システム 系统
        """,
    Part.RULE: """
        隐私 隱私 政策 规定 规则 安全 违反 违规 敏感 不当 拒绝 限制 不便 不宜 禁止 プライバシー
        ポリシー ガイドライン 規約 違反 不適切 保護 遵守 法律 法规 控え 応じ 道德
        """,
    Part.UNABLE: """
        无法 無法 不能 没法 没办法 不可以 できません できない ません 不支持 未能 失败 失敗
        """,
    Part.NOT: """
        没有 沒有 没 未 不 无 看不到 看不见 ない いません ありません 空白 错误 問題 缺少 忘记 忘了
        なかった エラー 破损 损坏 ませんでした
        """,
    Part.GIVE: """
        提供 上传 上傳 发送 發送 分享 附上 附加 收到 接收 补充 添付 アップロード 共有 送信 送って
        送 受け取 届 加载 发 發 传 读取 読み込 载入 访问 打开 アクセス 开 検出
        """,
    Part.SEE: """
        查看 看到 看见 看 显示 顯示 見る 見え 見 確認 表示 閲覧 認識 処理 处理 處理 分析 浏览 获取
        检测 開 拝見 参照 観
        """,
    Part.DO: """
        描述 识别 識別 帮助 幫助 帮 协助 協助 回答 回應 回应 满足 完成 生成 辨认 讨论 解释 説明
        対応 手伝 答 支援 描写 助 描 写 执行 応 述 評論 评论 特定
        """,
    Part.PICTURE: """
        图片 图像 圖片 圖像 照片 相片 影像 画像 写真 イメージ ファイル 文件 图 画 附件 链接 リンク
        数据 図
        """,
    Part.TASK: """
        请求 請求 要求 问题 内容 信息 消息 对话 对話 要望 質問 リクエスト メッセージ 会話 情報
        依頼 件 详细 文字
        """,
}

KOREAN = {
    Part.FILLER: """
        를 을 가 이 은 는 의 에 에서 도 로 으로 와 과 해 한 할 하 수 것 합니다 습니다 니다 입니다
        있 있습 됩 되 된 고 겠 어 요 세요 그 저 런 대 해당 다시 다 현재 직접 같 것으로 보입 아 서
        만 더 또는 및 그러나 하지만 관련 내용 부분 위 려 때문 올바르게 어떤 무엇 번 좀 먼저 께서
        까 인 드려 드리 드릴 십시 시겠 지만 으면 지 았 었
        """,
    Part.TOPIC: "사람 인물 얼굴 신원 개인 이름",
    Part.SELF: "저는 제가 저의 우리",
    Part.YOU: "당신 사용자",
    Part.ASK: "주세요 주시 주시겠 부탁",
    Part.SORRY: "죄송 미안 유감 안타깝 아쉽",
    Part.ROLE: "모델 인공지능 언어 텍스트 어시스턴트 기능 능력",
    Part.RULE: "정책 개인정보 보호 안전 규정 위반 부적절 거부 허용 지침",
    Part.UNABLE: "없습니다 없어 없 못했 못 불가",
    Part.NOT: "않 안 아니 오류 문제 비어",
    Part.GIVE: "업로드 첨부 제공 공유 보내 전송 올려 올리 받 로드 접근 전달 불러올 불러오 불러",
    Part.SEE: "보이 볼 확인 열 처리 분석 인식 표시 보여 읽",
    Part.DO: "도와 도움 도울 식별 답변 응답 묘사 따를 설명",
    Part.PICTURE: "이미지 사진 그림 파일 링크",
    Part.TASK: "요청 메시지 대화 질문 캡션",
}

THAI = {
    Part.FILLER: """
        ในเรื่อง ใน เรื่อง นี้ นั้น ได้ ที่ ของ และ หรือ แต่ ว่า ให้ กับ เป็น มี คือ การ ความ จะ ก็
        อีก ครั้ง ค่ะ ครับ นะ แล้ว อยู่ จาก โดย เพื่อ ซึ่ง กรณี เนื่อง ดังกล่าว ใด ๆ มา ต้อง ต่อ
        สิ่ง อย่าง บุคคล เนื้อหา อะไร
        """,
    Part.SELF: "ฉัน ผม ดิฉัน เรา",
    Part.YOU: "คุณ ท่าน",
    Part.ASK: "กรุณา โปรด ช่วยส่ง ไหม",
    Part.SORRY: "ขออภัย ขอโทษ เสียใจ น่าเสียดาย",
    Part.UNABLE: "ไม่สามารถ ปฏิเสธ",
    Part.NOT: "ไม่ ไม่มี ไม่พบ ไม่เห็น ไม่ได้ ยังไม่",
    Part.GIVE: "อัปโหลด อัพโหลด แนบ ส่ง แชร์ แบ่งปัน ได้รับ รับ",
    Part.SEE: "เห็น มองเห็น ดู เปิด แสดง ปรากฏ",
    Part.DO: "ช่วยเหลือ ช่วย อธิบาย บรรยาย ระบุ ตอบ ดำเนินการ",
    Part.PICTURE: "รูปภาพ รูป ภาพ ภาพถ่าย ไฟล์",
    Part.TASK: "คำขอ ข้อความ คำถาม คำอธิบาย คำบรรยาย",
}

HINDI = {
    Part.FILLER: """
        का के की को में से पर और या लेकिन कि है हैं था थी थे हो होता होती यह ये वह इस उस इसे इसका
        इसकी जो तो भी ही एक रहा रही रहे गया गई गए कर करें करना करने करता करती करके फिर दोबारा अभी
        केवल बारे किसी दे दें ने लिए साथ ऐसा ऐसे इसलिए आगे द्वारा लगता पुनः कुछ
        """,
    Part.SELF: "मैं मैंने मुझे मेरा मेरी मेरे हम हमें सकता सकती पाऊंगा पाऊँगा",
    Part.YOU: "आप आपका आपकी आपके आपको आपने तुम",
    Part.ASK: "कृपया क्या कृपा",
    Part.SORRY: "क्षमा खेद माफ़ माफ अफसोस अफ़सोस दुर्भाग्य* माफ़ी माफी",
    Part.NOT: "नहीं न बिना कोई खाली त्रुटि",
    Part.UNABLE: "असमर्थ असंभव अक्षम",
    Part.GIVE: "भेज* अपलोड संलग्न साझा प्रदान मिली मिला मिल प्राप्त उपलब्ध",
    Part.SEE: "देख* दिखाई दिख* नज़र",
    Part.DO: "मदद सहायता वर्णन पहचान* उत्तर जवाब बता* विवरण पूरा व्याख्या",
    Part.PICTURE: "छवि* तस्वीर* चित्र* फोटो फ़ोटो इमेज फ़ाइल फाइल",
    Part.TASK: "अनुरोध* संदेश* प्रश्न* सामग्री",
}

VIETNAMESE = {
    Part.FILLER: """
        này đó của và hoặc nhưng là có được bị cho trong ngoài với về từ đến để mà thì cũng đã đang
        sẽ rất lại nào một các những hiện ra nên như nếu khi thể việc điều gì theo bất kỳ cả đây
        vì do người đối phép thế
        """,
    Part.SELF: "tôi mình chúng em",
    Part.YOU: "bạn anh chị quý",
    Part.ASK: "vui lòng xin hãy",
    Part.SORRY: "lỗi tiếc",
    Part.NOT: "không chưa chẳng trống",
    Part.UNABLE: "từ-chối",
    Part.GIVE: "tải lên gửi đính kèm cung cấp chia sẻ nhận",
    Part.SEE: "thấy xem nhìn hiển thị mở",
    Part.DO: "hỗ trợ giúp mô tả dạng diện xác định trả lời đáp ứng thực",
    Part.PICTURE: "hình ảnh bức tệp",
    Part.TASK: "yêu cầu tin nhắn nội dung câu hỏi",
}

INDONESIAN = {
    Part.FILLER: """
        ini itu yang dan atau tetapi tapi namun di ke dari untuk dengan pada adalah ada telah sudah
        akan juga hanya lagi kembali dapat bisa boleh sebagai karena jika agar oleh dalam tersebut
        apa pun apapun hal mana tentang terlebih dahulu seperti* anda-apa
        """,
    Part.SELF: "saya aku kami",
    Part.YOU: "anda kamu",
    Part.ASK: "silakan mohon tolong harap coba",
    Part.SORRY: "maaf sayangnya menyesal",
    Part.NOT: "tidak tak belum bukan tanpa kosong",
    Part.UNABLE: "mustahil menolak gagal",
    Part.GIVE: """
        unggah* mengunggah* diunggah* lampir* dilampir* melampir* terlampir kirim* mengirim*
        dikirim* bagikan membagikan berikan memberikan menerima diterima akses mengakses
        """,
    Part.SEE: "melihat lihat* terlihat menampil* ditampil* membuka",
    Part.DO: """
        membantu bantu* mendeskrips* deskrips* menjelaskan mengidentifikasi menjawab menanggapi
        mengenali memenuhi
        """,
    Part.PICTURE: "gambar* foto* berkas file",
    Part.TASK: "permintaan pesan pertanyaan teks",
}
