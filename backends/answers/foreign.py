"""The same words in other languages, each by its part in the talk."""

from __future__ import annotations

from backends.answers.vocabulary import Part

GERMAN = {
    Part.FILLER: """
        der die das den dem des ein eine einen einem einer eines und oder aber dass daß ob wenn
        damit dafür dazu darüber dabei hierbei hierzu davon es sie er ihm ihn ist sind war waren
        wurde wurden wird werden sein hat habe haben hast in im an am auf aus bei mit von vom zu
        zum zur für über um nach vor wie was wer welche* dies* solche* jede* alle* noch einmal
        kann können konnt* erneut wieder bitte-noch auch nur schon jetzt hier da dort mal doch
        gerne gern so sich selbst etwas also daher deshalb derzeit momentan aktuell direkt scheint
        scheinbar offenbar anscheinend wohl leid tut tue bin möcht* will würd* soll* müss* muss
        dann denn weil kurz sagen genau* konkret* andere* anders beim gut helf-ich liegt liegen
        worden gewesen bereits richtig korrekt ordnungsgemäß vollständig erst zuerst gibt sehr
        herzlich freu* stattdessen jedoch unter ohne-dass gegen zwei sätz* satz darauf darin
        ausschließlich lediglich sieht als hätte hättest hätten gelungen klappt funktioniert
        gefunden enthält enthalten zeigen einfach vielleicht zunächst zuvor ausführlich möglich
        heute anschließend danach außer weitere
        """,
    Part.TOPIC: "person* mensch* gesicht* identität kind* minderjähr* name* inhalt*",
    Part.SELF: "ich mir mich mein* wir uns unser* werde",
    Part.YOU: "du dir dich dein* ihnen ihr ihre ihrer ihren ihrem euch",
    Part.ASK: "bitte kannst könntest könnten möchtest versuch* probier* brauche benötige",
    Part.SORRY: "leider entschuldig* bedauer* verzeih* sorry bedaure",
    Part.ROLE: "ki sprachmodell* modell* assistent* textbasiert* programmiert fähig* lage",
    Part.RULE: """
        richtlinie* datenschutz* regel* sicherheit* verstöß* verstoß* unangemessen* darf dürfen
        abgelehnt privatsphäre persönlichkeitsrecht* schutz schütz* gründ* explizit* anstößig*
        sensib* erlaub* gestattet ethisch* heikl*
        """,
    Part.UNABLE: "unmöglich unfähig gescheitert verweigere weigere lehne ablehnen vermeide",
    Part.NOT: """
        nicht nichts kein* ohne fehl* leer* beschädigt* problem* nie schiefgegangen schief
        schiefgelaufen vergessen
        """,
    Part.GIVE: """
        lade laden hochlad* hochgeladen* hochzuladen hoch anhäng* anhang angehängt* beigefügt*
        füge schick* geschickt send* gesendet* übermitt* erhalt* empfang* teil* geteilt* stell*
        bereit* verfügung angekommen geladen* zugriff zugreif* vorhanden mitgeschickt beilieg*
        mitsend* anzuhängen übertrag* angezeigt
        """,
    Part.SEE: """
        seh* siehst gesehen anseh* anzuseh* anschau* betracht* anzeig* angezeigt* erkenn* öffn*
        geöffnet* verarbeit* analysier* einseh* sichtbar wahrnehm*
        """,
    Part.DO: """
        helf* weiterhelf* hilf* beschreib* identifizier* benenn* unterstütz* beantwort* antwort*
        nachkommen erfüll* kommentier* äußer* bearbeit* erstell* nennen behilflich auskunft
        angaben machen stellung eingehen
        """,
    Part.PICTURE: "bild bilder bildes bilddatei* foto fotos fotografi* datei* aufnahme* link",
    Part.TASK: "anfrage* nachricht* beschreibung* gespräch* chat wunsch bildbeschreibung* frage*",
}

FRENCH = {
    Part.FILLER: """
        le la les l un une des du de d et ou mais qu qui quoi si ce cet cette ces cela ça c est
        sont était été être a ai as avez ont avoir en au aux à dans sur pour par avec comme il
        elle on se s y lui leur sa son ses plus bien aussi donc alors car là ici encore nouveau
        nouvelle fois actuellement directement semble semblerait apparemment suis sommes veux
        voudr* souhait* peux peut pouvez pouvoir pourr* puis toute* tout tous même autre* chose
        quel* avant après moment faire fait fais deux sorte correctement sous ravi* volontiers
        serai* sera puisse soit seulement uniquement raisons raison que passé possible peut-être
        d'abord ensuite afin lors parmi trouve trouvé contient
        """,
    Part.TOPIC: "personne* visage* identité* individu* mineur* enfant* nom contenu*",
    Part.SELF: "je j me m moi mon ma mes nous notre nos",
    Part.YOU: "vous votre vos tu te t ton ta tes",
    Part.ASK: "veuillez merci pourriez pourrais s'il plaît réessay* essay*",
    Part.SORRY: "désolé* malheureusement regrett* excus* pardon navré*",
    Part.ROLE: """
        modèle ia assistant* intelligence artificielle langage textuel* mesure capable* conçu
        entraîné
        """,
    Part.RULE: """
        politique* règle* confidentialité vie privée sécurité consigne* directive* autoris* refus*
        inapproprié* explicite* respect* contraire enfreint préfère permis* droit éthique*
        sensible*
        """,
    Part.UNABLE: "impossible incapable* échoué échec refuse refusé évite",
    Part.NOT: "ne n pas aucun* rien sans jamais manqu* vide erreur* problème* ni",
    Part.GIVE: """
        joint* joindre fourni* envoy* renvoy* télécharg* partag* import* charg* recharg* transmi*
        transmettre reçu* recev* ajout* accès accéder accessible* parvenu* arriv*
        """,
    Part.SEE: "vois voir voit visualis* affiche* ouvrir lire analys* percev* visible*",
    Part.DO: """
        aid* décri* identifi* assist* répond* command* comment* satisfaire donner génér*
        reconnaître fournir produire trait*
        """,
    Part.PICTURE: "image* photo* fichier* pièce* cliché lien",
    Part.TASK: "demande* message* description* conversation* légende requête* phrase* texte",
}

SPANISH = {
    Part.FILLER: """
        el la los las lo un una unos unas de del al y o u e pero que qué quien si se es está están
        ha han he has haber ser estar fue en con por para como su sus esa ese eso esta este esto
        estas estos muy más también aún todavía ya aquí ahí hay parece nuevo nueva vez volver
        vuelve vuelva directamente correctamente actualmente momento porque ya-que así ningún-modo
        otra otro otras otros algo hacer haya hayas pued* quier* quisier* gustaría gusto encantado
        podido poder mencion* cual cuál entonces antes dos sin-que eres solo sólo únicamente
        motivos motivo razones razón a posible quizás primero después contiene encontrado pudo
        pude logré
        """,
    Part.TOPIC: "persona* rostro* cara identidad individuo* menor* nombre* contenido*",
    Part.SELF: """
        yo puedo me mi mis mí nosotros nos nuestr* voy tengo quiero prefiero identifico estoy soy
        sé recibí encuentro logro comento describo
        """,
    Part.YOU: "tú tu tus te ti usted* le les contigo",
    Part.ASK: "favor podrías podría puedes intent* prueb* necesito",
    Part.SORRY: "siento lamento lamentablemente disculp* perdón desafortunadamente",
    Part.ROLE: """
        modelo ia asistente inteligencia artificial lenguaje capaz capacidad diseñado entrenado
        programado
        """,
    Part.RULE: """
        política* privacidad norma* directric* seguridad permitid* autorizad* inapropiad*
        explícit* respet* viola* neg* rechaz* incumpl* permiso consentid* étic* sensibl*
        """,
    Part.UNABLE: "imposible incapaz falló evito rechazo niego",
    Part.NOT: "no ningun* ningún nada sin nunca falta* vacío* vacía* error* problema* tampoco",
    Part.GIVE: """
        sub* carg* adjunt* proporcion* envi* enví* compart* recib* manda* acced* acceso
        disponible* reenví* llegó llegado
        """,
    Part.SEE: "ver veo vea visualiz* mostr* abrir analiz* proces* visible* reconoc* leer escribir",
    Part.DO: """
        proporcionar ayud* descri* identific* asist* respond* cumplir atend* gener* coment* ofrec*
        realizar
        """,
    Part.PICTURE: "imagen* imágenes foto* archivo* enlace*",
    Part.TASK: "solicitud* mensaje* descripción* conversación petición pregunta* frase* texto",
}

ITALIAN = {
    Part.FILLER: """
        il lo la i gli le l un una uno di del dello della dei delle degli d al alla ai e o ma che
        chi cui se si è era stato stata stati state essere ha hai hanno avere in con per da dal
        dalla su sul sulla come questo questa questi queste quest quello quella quell più anche
        ancora già qui c'è ci c ne sembra nuovo nuova volta attualmente direttamente correttamente
        momento perché così altro altra qualcosa fare quindi poi due vuoi vorrei desider* nel
        nella nelle nell grado po sia siano avessi abbia solo soltanto motivi ragioni trovato a
        possibile forse prima dopo contiene riesco riuscito
        """,
    Part.TOPIC: "person* volt* identità individu* minor* nome contenut*",
    Part.SELF: """
        io posso mi me mio mia miei mie noi nostro vado ho voglio preferisco identifico trovo sono
        descrivo commento devo
        """,
    Part.YOU: "tu ti te tuo tua tuoi tue voi vostr* lei suo sua",
    Part.ASK: "favore cortesia prego potresti puoi potrebbe può riprov* prova*",
    Part.SORRY: "dispiace purtroppo spiacente scus* mi-spiace",
    Part.ROLE: "modello ia assistente intelligenza artificiale linguaggio linguistico capacità",
    Part.RULE: """
        polic* privacy norm* linee regol* sicurezza autorizzat* inappropriat* esplicit* rispett*
        viol* rifiut* permess* riservatezza consentit* etic*
        """,
    Part.UNABLE: "impossibile incapace fallito evito rifiuto",
    Part.NOT: "non nessun* alcun* niente nulla senza manca* vuot* errore problema",
    Part.GIVE: """
        caric* ricaric* alleg* forni* invi* condivid* condivis* ricev* mand* accesso acceder*
        disponibil* arrivat*
        """,
    Part.SEE: "vedo vedere vedi visualizz* aprire leggere analizz* elabor* visibil*",
    Part.DO: """
        aiut* descriv* identific* assist* rispond* soddisf* gener* comment* riconosc* procedere
        fornire
        """,
    Part.PICTURE: "immagin* foto* file link",
    Part.TASK: "richiest* messaggi* descrizion* conversazione domanda didascalia frasi testo",
}

PORTUGUESE = {
    Part.FILLER: """
        o os as um uma de do da dos das d e ou mas que quem se é são foi ser estar está estão há
        tem ter ao à aos em no na nos nas com por pelo para pra como esse essa isso este esta isto
        deste desta neste nesta mais também ainda já aqui parece novo nova novamente vez
        diretamente corretamente momento porque pois assim outro outra algo fazer então antes dois
        duas quer queira quiser gostaria deseja prazer só apenas somente motivos razões a talvez
        primeiro depois contém consegui encontrado possível atender-se
        """,
    Part.TOPIC: "pessoa* rosto* identidade indivíduo* menor* nome conteúdo*",
    Part.SELF: """
        eu posso consigo me mim meu minha meus minhas nós nosso nossa vou tenho quero prefiro
        identifico estou sou sei recebi encontrei descrevo comento
        """,
    Part.YOU: "você* tu te teu tua seu sua seus suas lhe",
    Part.ASK: "favor poderia pode podes tent* preciso",
    Part.SORRY: "desculp* infelizmente lamento sinto perdão",
    Part.ROLE: "modelo ia assistente inteligência artificial linguagem capaz capacidade",
    Part.RULE: """
        polític* privacidade norma* diretriz* segurança permitid* autorizad* inapropriad*
        explícit* respeit* viola* recus* permissão consentid* ética sensív*
        """,
    Part.UNABLE: "incapaz falhou evito recuso nego impossível",
    Part.NOT: "não nao nenhum* nada sem nunca falta* vazi* erro problema",
    Part.GIVE: """
        carreg* recarreg* anex* forne* envi* reenvi* compartilh* partilh* receb* mand* acess*
        disponíve* chegou
        """,
    Part.SEE: "ver vejo vendo visualiz* abrir ler analis* process* visíve*",
    Part.DO: """
        fornecer ajud* descrev* identific* auxili* assist* respond* atend* ger* coment* reconhec*
        cumpr*
        """,
    Part.PICTURE: "imagem imagens foto* arquivo* ficheiro* link",
    Part.TASK: "solicitaç* pedido* mensage* descriç* conversa pergunta legenda frase* texto",
}

DUTCH = {
    Part.FILLER: """
        de het een en of maar dat die dit er is zijn was waren wordt worden werd ben heeft hebt
        hebben in op aan met van voor naar bij te om als dan ook nog nu hier daar al zo mee over
        uit opnieuw keer lijkt blijkbaar wat wie welke momenteel direct goed kan zal wil wilt
        graag doe doen gedaan iets andere anders omdat zodat want hij ze toe moet twee erop deze
        nooit ernaar alleen enkel redenen hem eerst mogelijk misschien daarna bevat gelukt lukt
        gevonden
        """,
    Part.TOPIC: "person* mens* gezicht* identiteit kind* naam inhoud",
    Part.SELF: "ik mij me mijn wij we ons onze heb",
    Part.YOU: "je jij jouw u uw jullie",
    Part.ASK: "alsjeblieft alstublieft kun kunt zou gelieve probeer* nodig",
    Part.SORRY: "helaas sorry excus* spijt",
    Part.ROLE: "model ai assistent taalmodel* kunstmatige staat capaciteit",
    Part.RULE: """
        beleid* richtlijn* privacy* regels veiligheid* toegestaan mag weiger* ongepast*
        toestemming gevoelig* ethisch*
        """,
    Part.UNABLE: "onmogelijk mislukt weiger weigeren vermijd",
    Part.NOT: "niet geen niets zonder leeg leege fout* probleem vergeten ontbreekt",
    Part.GIVE: """
        upload* geüpload* bijlage* bijgevoegd* voeg toevoegen stuur* sturen verstuur* deel delen
        gedeeld ontvang* geladen laden toegang aangekomen binnengekomen verstrek* meegestuurd
        gestuurd
        """,
    Part.SEE: """
        zie zien ziet bekijk* weergeven openen lezen analyseren verwerk* zichtbaar waarnemen
        """,
    Part.DO: """
        help* beschrij* identificeren assisteren beantwoord* voldoen herkennen genereren geven
        """,
    Part.PICTURE: "afbeelding* foto* plaatje* bestand* beeld beelden link",
    Part.TASK: "verzoek* bericht* beschrijving* gesprek vraag zin zinnen tekst",
}

RUSSIAN = {
    Part.FILLER: """
        и в во на с со к у о об от из за по для что чтобы как если но а или это этот эта эту этом
        этого этой же бы был* быть есть ещё еще раз снова уже тоже только так там тут здесь его её
        их они он она к-сожалению данн* похоже кажется сейчас прямо котор* могу можно хот* когда
        тогда потом два две раза поскольку лишь причинам возможно сначала затем содержит нашёл
        удалось получилось
        """,
    Part.TOPIC: "люд* человек* лиц* личност* имя содержим* содержан*",
    Part.SELF: "я мне меня мной мой моя моё мои мы нам нас умею буду",
    Part.YOU: "вы вам вас ваш* ты тебе тебя твой твоё",
    Part.ASK: "пожалуйста прошу можете могли попробу*",
    Part.SORRY: "извин* сожалени* прост* прощения",
    Part.ROLE: "модель ии ассистент* языков* искусственн* интеллект* возможност*",
    Part.RULE: "политик* правил* конфиденциальн* безопасност* запрещ* нарушает отказ* этическ*",
    Part.UNABLE: "невозможно отказываюсь",
    Part.NOT: "не нет никак* ничего без отсутств* ошибк* пуст* проблем* забыли забыл",
    Part.GIVE: """
        загруз* загруж* прикреп* отправ* пришл* предостав* передан* получ* прилож* доступ*
        поделит* вложен*
        """,
    Part.SEE: "виж* вид* просм* увид* откры* обраб* анализ* распозн* отобра*",
    Part.DO: "помо* опис* выполн* идентифиц* определ* ответ* отвеч* комментир* опознав*",
    Part.PICTURE: "изображен* фото* картин* снимок снимк* файл*",
    Part.TASK: "запрос* сообщен* просьб* описани* вопрос* чат* разговор* текст*",
}

POLISH = {
    Part.FILLER: """
        i w we na z ze do o od u dla że żeby aby jak jeśli ale a lub albo to ten ta te tę tego tej
        tym jest są był* być jeszcze raz ponownie już też tylko tak tu tam go jej ich się wydaje
        wygląda bezpośrednio obecnie który* móc chcesz chcia* dwa więc ponieważ coś został została
        zostało zostały niczego czy jedynie powodów względu możliwe może najpierw potem zawiera
        udało
        """,
    Part.TOPIC: "osob* osób ludzi twarz* tożsamoś* imi* zawartoś* treś*",
    Part.SELF: """
        ja mogę mi mnie mną mój moja moje my nam nas mam chcę otrzymałem otrzymałam jestem wolę
        potrafię opisuję identyfikuję będę
        """,
    Part.YOU: "ty ci ciebie tobie twój twoja twoje twoim pan pani państwo",
    Part.ASK: "prosz* możesz mógłbyś spróbuj*",
    Part.SORRY: "przepraszam przykro niestety wybacz*",
    Part.ROLE: "model asystent* ai językow* sztuczn* stanie możliwości",
    Part.RULE: "polityk* zasad* prywatnoś* bezpieczeńst* narusza wolno odmówi*",
    Part.UNABLE: "niemożliwe odmaw*",
    Part.NOT: "nie nic żadn* brak* bez błąd pust* problem* zapomniał*",
    Part.GIVE: "prześl* przesł* załącz* dołącz* wyśl* udostępn* wgra* otrzyma* dostęp* załad*",
    Part.SEE: "widz* zobacz* wyświetl* przegląd* otwor* odczyt* przetwarz* analiz* rozpozn*",
    Part.DO: "pomóc pomog* opis* zidentyfik* identyfik* odpowied* spełni* wykona* komentow*",
    Part.PICTURE: "obraz* zdję* fotografi* plik*",
    Part.TASK: "prośb* wiadomoś* żądani* pytani* rozmow* opis tekst*",
}

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
        까 인 드려 드리 드릴 십시 시겠 지만 으면
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
