"""How models say in other languages that they see no image, decline, or describe a photo."""

from __future__ import annotations

import re

_BLIND = re.compile(
    "|".join(
        (
            # German
            r"\bich (?:kann|sehe|habe|konnte)\b(?=[^.!?]{0,80}\b(?:nicht|keine?n?"
            r"|kein)\b)[^.!?]{0,60}?\b(?:bild(?:er|datei)?|fotos?|anhang|anhänge"
            r"|datei)\b(?:[^.!?]{0,20}\b(?:sehen|anzeigen|ansehen|öffnen|erhalten|finden"
            r"|verarbeiten|zugreifen|betrachten|erkennen|anschauen)\b|\W*$"
            r"|[^.!?]{0,12}\b(?:angehängt|beigefügt|hochgeladen|vorliegen|in ihrer|in deiner)\b)",
            r"\b(?:kann ich|und kann|kann) (?:leider )?keine (?:bilder|fotos)\b[^.!?]{0,20}\w+en\b",
            r"\bnicht in der lage,? (?:bilder|fotos|das bild|das foto)\b",
            r"\bich sehe (?:\w+ )?kein(?:e|en)? (?:bild|foto|anhang|datei)(?:er|s)?\b(?! (?:an"
            r"|auf|von|in der)\b)",
            r"\b(?:bitte|könntest du|können sie|könnten sie)\b[^.!?]{0,40}?\b(?:bild"
            r"|foto)\b[^.!?]{0,30}?\b(?:hoch|hochladen|senden|schicken|bereit|bereitstellen"
            r"|anhängen|teilen|zur verfügung)\b",
            r"\b(?:bitte )(?:laden|lade|senden|sende|schicken|schick|teilen|teile|fügen"
            r"|stellen)\b[^.!?]{0,40}?\b(?:bild|foto)\b",
            r"\bes (?:wurde|ist|scheint)[^.!?]{0,30}?\bkein(?:e|en)? (?:bild|foto|anhang)\b",
            r"\bals (?:rein )?text(?:basierte\w?|modell|-ki)\b",
            r"\b(?:kein|ohne) (?:bild|foto)[^.!?]{0,30}?\b(?:vorhanden|beigefügt|angehängt"
            r"|hochgeladen|erhalten|übermittelt)\b",
            r"\bliegt (?:mir |uns )?(?:\w+ )?kein(?:e|en)? (?:bild|foto)\b",
            # French
            r"\bje (?:(?:ne|n')\s?[^.!?]{0,40}?\b(?:pas|aucune?)|suis incapable)\b(?:(?!\b(?:sur"
            r"|dans)\b)[^.!?]){0,40}?\b(?:d'images?|les images|l'image|votre image|d'image"
            r"|aucune image|image|cette image|images|de photos?|la photo|votre photo)\b(?=\W*$"
            r"|[.,!?]| (?:que|dans|jointe|ci-jointe|car|directement|mais|et|pour|attachée"
            r"|fournie)\b)",
            r"\b(?:aucune|pas d'|pas de) ?(?:image|photo|pièce jointe)[^.!?]{0,40}?\b(?:fournie?"
            r"|jointe?|reçue?|partagée?|téléchargée?|visible|transmise?|dans votre)\b",
            r"\b(?:veuillez|pouvez-vous|pourriez-vous|peux-tu"
            r"|merci de)\b[^.!?]{0,40}?\b(?:fournir|télécharger|envoyer|joindre|partager|charger"
            r"|importer|transmettre)\b[^.!?]{0,30}?\b(?:image|photo)\b",
            r"\bvous n'avez (?:pas|encore)[^.!?]{0,40}?\b(?:image|photo|pièce jointe)\b",
            # Spanish
            r"\bno (?:puedo|veo|he recibido|tengo|recibí|logro|soy capaz|es posible|se ha|has"
            r"|encuentro|hay)\b(?:(?!\b(?:en|de la)\b)[^.!?]){0,50}?\b(?:imagen|imágenes|fotos?"
            r"|fotografías?|archivo)\b(?=\W*$|[.,!?]| (?:que|en (?:tu|su|este|el (?:mensaje"
            r"|chat))|adjunt\w+|directamente|porque|ya que|pero|y|para|proporcionad\w|cargad\w"
            r"|visible)\b)",
            r"\b(?:por favor|podrías|puedes|podría)\b[^.!?]{0,40}?\b(?:proporcion\w+|sub\w+"
            r"|env[ií]\w+|adjunt\w+|compart\w+|carg\w+)\b[^.!?]{0,30}?\b(?:imagen|foto"
            r"|fotografía)\b",
            # Italian
            r"\bnon (?:posso|vedo|riesco|sono in grado|ho ricevuto|ho accesso|è stata|c'è|ho la"
            r"|hai|abbia)\b(?:(?!\b(?:nella|nell|sulla|della)\b)[^.!?]){0,50}?\b(?:immagin[ei]"
            r"|foto|allegat[oi])\b(?=\W*$|[.,!?]| (?:che|nel|allegat\w|direttamente|perché|ma|e"
            r"|per|fornit\w|caricat\w)\b)",
            r"\b(?:per favore|per cortesia|ti prego|potresti|puoi|può"
            r"|potrebbe)\b[^.!?]{0,40}?\b(?:fornir\w*|caric\w+|invi\w+|alleg\w+|condivid\w+"
            r"|fornisci)\b[^.!?]{0,30}?\b(?:immagine|foto)\b",
            # Portuguese
            r"\bn[ãa]o (?:consigo|posso|vejo|recebi|tenho|é possível|há|foi|encontrei|sou capaz"
            r"|estou vendo|forneceu|enviou|anexou)\b(?:(?!\b(?:na|da"
            r"|nesta)\b)[^.!?]){0,50}?\b(?:imagem|imagens|fotos?|fotografias?|anexo)\b(?=\W*$"
            r"|[.,!?]| (?:que|na (?:sua|mensagem)|anexad\w|diretamente|porque|pois|mas|e|para"
            r"|fornecid\w|enviad\w)\b)",
            r"\b(?:por favor|poderia|você pode|pode)\b[^.!?]{0,40}?\b(?:forne\w+|envi\w+|anex\w+"
            r"|compartilh\w+|carreg\w+)\b[^.!?]{0,30}?\b(?:imagem|foto)\b",
            r"\b(?:nenhuma|ninguna|nessuna) (?:imagem|foto|imagen|fotografía"
            r"|immagine)\b[^.!?]{0,20}?\b(?:fornecida|enviada|anexada|proporcionada|adjunta"
            r"|cargada|enviado|fornita|caricata|allegata)\b",
            # Dutch
            r"\bik (?:kan|zie|heb)\b(?=[^.!?]{0,60}\b(?:niet"
            r"|geen)\b)[^.!?]{0,40}?\b(?:afbeelding(?:en)?|foto's|foto"
            r"|beelden)\b(?:[^.!?]{0,20}\b(?:zien|bekijken|openen|ontvangen|verwerken)\b|\W*$)",
            # Russian, Polish
            r"\bя не (?:вижу|могу (?:видеть|просматривать|просмотреть|увидеть|обрабатывать"
            r"|открыть)|получил\w?)\b[^.!?]{0,40}?(?:изображени|фото|картин)",
            r"(?:пожалуйста|прошу)[^.!?]{0,30}?(?:загрузите|отправьте|пришлите|прикрепите"
            r"|предоставьте)[^.!?]{0,30}?(?:изображени|фото|картин)",
            r"\bnie (?:widzę|mogę (?:zobaczyć|wyświetl\w+|przegląda\w+)"
            r"|otrzymał\w+)\b[^.!?]{0,30}?\b(?:obraz\w*|zdjęci\w*)\W*$",
            # Chinese
            r"(?:我|模型|助手|抱歉|您好)?(?:目前|暂时|现在|并)?(?:无法|不能|没法|看不到|看不见"
            r"|没有看到|没看到|没有收到|未收到|没收到|没有办法)(?:直接|实际|真正)?(?:查看|看到"
            r"|访问|处理|读取|识别|打开|看见|接收|浏览|获取|分析|查阅|或|、)*(?:您|你|到|任何"
            r"|这张|该|提供|上传|发送|的|所|具体|附加|一张|有)*(?:图片|图像|照片|圖片|圖像|相片"
            r"|影像)(?=内容|文件|信息|[。,，!！.?？；、]|$|,|所以|因此|和|或|，|数据|附件)",
            r"(?:請|请|麻烦|烦请)(?:您|你)?(?:先|再|重新|直接)*(?:提供|上传|上傳|发送|發送|分享"
            r"|发|附上|补充)(?:一下|给我|您|你|想|要|需要|描述|的|一张|一張|具体|该|这张|清晰|张"
            r"|相关)*(?:图片|图像|照片|圖片|圖像)",
            r"(?:您|你)(?:似乎|好像|可能|还|並)?(?:没有|没|未|忘记|忘了|沒有)(?:有)?(?:提供|上传"
            r"|附上|发送|上傳)(?:任何)?(?:图片|图像|照片|圖片|圖像)",
            r"(?:作为|作為|我是)(?:一个|一個|一款)?(?:纯)?(?:文本|文字|語言|语言)(?:的)?(?:ai"
            r"|模型|人工智能|助手)[^。]{0,20}(?:无法|不能|無法)[^。]{0,8}(?:图|圖|照片)",
            r"無法(?:直接)?(?:查看|看到|檢視|存取|處理)[^。]{0,8}(?:圖片|圖像|照片|影像)",
            r"^\W*没有(?:图片|图像|照片)\W*$",
            r"(?:没有|未)(?:检测到|附带|找到)(?:任何)?(?:图片|图像|照片)",
            r"(?:看不到|看不见|没看到|没收到)(?:您|你)(?:发|發|上传|传|提供|说|分享)?(?:来|给我)?的(?:图片|图像|照片|图)",
            # Japanese
            r"(?:画像|写真|イメージ|添付ファイル)(?:ファイル)?(?:を|が|は)(?:直接)?(?:見る|見"
            r"|確認|表示|閲覧|認識|処理|開く|添付|提供|アップロード|受け取|共有|送信|参照|拝見"
            r"|分析)?(?:する|し|され|って|こと|て|ん)*(?:は|が|を)?(?:でき(?:ません|ない)"
            r"|見え(?:ません|ない|ていません)|いません|いない|おりません|ありません"
            r"|見当たりません|ないよう|いないよう|見られません|ていません|届いていません)",
            r"(?:画像|写真)を(?:もう一度|再度)?(?:アップロード|提供|共有|添付|送信|送って|送"
            r"|ご提供|お送り)(?:して)?(?:ください|下さい|いただけ|くださ|もらえ|お願い)",
            r"(?:画像|写真)を(?:見る|閲覧する|処理する|認識する)(?:機能|能力|こと)[^。]{0,6}(?:ありません|ない|できません)",
            # Korean
            r"(?:이미지|사진|그림)(?:를|을|가|이)? ?(?:직접 )?(?:볼|확인할|열|처리할"
            r"|분석할) ?수 ?(?:가 )?없",
            r"(?:이미지|사진)(?:를|을)? ?(?:다시 )?(?:업로드|제공|첨부|공유"
            r"|보내)(?:해)? ?(?:주세요|주시)",
            r"(?:이미지|사진)(?:가|이) (?:첨부|제공|업로드)되지 않",
        )
    )
)

_REFUSED = re.compile(
    "|".join(
        (
            r"\bich (?:darf|möchte|kann) (?:dazu|hierzu|darüber) (?:nichts|keine|leider nicht)\b",
            r"\bje (?:ne souhaite pas|préfère ne pas) (?:décrire|commenter|identifier)\b",
            r"\bich kann (?:dabei|ihnen|dir|diese[rmns]?|das|damit|dir dabei|ihnen dabei|keine"
            r"|die person\w*|solche)\b[^.!?]{0,80}?\b(?:nicht|keine)?\b[^.!?]{0,40}?\b(?:helfen"
            r"|beschreiben|weiterhelfen|unterstützen|identifizieren|nachkommen|behilflich"
            r"|bereitstellen|erfüllen|geben)\b",
            r"\b(?:kann|darf|möchte|werde) ich\b[^.!?]{0,50}?\bnicht\b[^.!?]{0,20}?\b(?:helfen"
            r"|beschreiben|weiterhelfen|nachkommen|erfüllen|bearbeiten|beantworten)\b",
            r"\b(?:dabei|damit|hierbei|das|dies\w*) (?:bild |foto |anfrage )?(?:kann|darf|möchte"
            r"|werde) ich[^.!?]{0,30}?\bnicht\b[^.!?]{0,20}?\b(?:helfen|beschreiben|weiterhelfen"
            r"|erfüllen|unterstützen)\b",
            r"\b(?:je ne peux pas|je ne suis pas (?:en mesure|autorisée?|capable)"
            r"|je ne puis)\b[^.!?]{0,30}?\b(?:aider|décrire|identifier|assister|répondre|fournir"
            r"|traiter|satisfaire|commenter|faire cela)\b",
            r"\b(?:no puedo|no poder|no me es posible|no soy capaz de"
            r"|no estoy autorizado a)\b[^.!?]{0,20}?\b(?:ayudar\w*|describir|identificar"
            r"|asistir\w*|proporcionar|cumplir|procesar|responder|hacer eso|generar)\b",
            r"\bnon (?:posso|sono in grado di|mi è possibile)\b[^.!?]{0,20}?\b(?:aiutar\w*"
            r"|descrivere|identificare|assister\w*|fornire|soddisfare|elaborare|rispondere"
            r"|procedere)\b",
            r"\bn[ãa]o (?:posso|consigo|sou capaz de|me é possível)\b[^.!?]{0,20}?\b(?:ajud\w+"
            r"|descrever|identificar|fornecer|atender|processar|auxiliar|responder|gerar)\b",
            r"\bik kan (?:u |je |daar |hier )?(?:niet|geen|deze|dit)\b[^.!?]{0,60}?\b(?:helpen"
            r"|beschrijven|identificeren)\b",
            r"\bя не могу\b[^.!?]{0,30}?\b(?:помочь|описать|выполнить|идентифицировать"
            r"|предоставить)",
            r"\bnie mogę\b[^.!?]{0,30}?\b(?:pomóc|opisać|zidentyfikować)\b",
            r"(?:抱歉|对不起|對不起|很遗憾|不好意思|我)[^。!！]{0,12}?(?:无法|不能|無法|没办法"
            r"|不便)(?:为您|为你|对此|协助|帮助|帮您)*(?:描述|提供|协助|帮助|识别|回答|满足|处理"
            r"|协助您|帮助您|完成|生成|回應|回应|協助|给出|辨认|讨论)",
            r"(?:この|ご|その|人物|お|個人)?[^。]{0,20}?(?:説明|対応|お手伝い|お答え|回答|特定"
            r"|支援|提供|応じ|お応え|識別|描写)(?:する)?(?:こと)?(?:は|が|を)?(?:でき(?:ません"
            r"|かねます|ない)|いたしかねます|しかねます|られません|ることはできません)",
            r"(?:도와드릴|설명할|제공할|식별할|답변할|도울) ?수 ?(?:가 )?없",
        )
    )
)

_TO_DESCRIBE = re.compile(
    r"\b(?:beschreiben|décrire|describir|descrivere|descrever|descri\w+|identif\w+)\b"
)
"""What a model declines to do with a picture that it does see."""

_APOLOGY = re.compile(
    r"tut mir (?:sehr )?leid|entschuldigung|leider|désolée?|pardon|malheureusement|lo siento"
    r"|lamento|disculp|lamentablemente|mi dispiace|purtroppo|spiacente|desculp|sinto muito"
    r"|infelizmente|lamento|het spijt|helaas|к сожалению|извините|простите|przepraszam|niestety"
    r"|抱歉|对不起|對不起|申し訳|すみません|ごめん|죄송|als ki\b|en tant qu|como (?:un "
    r"|una )?(?:modelo|ia|inteligencia|assistente)|come (?:modello|ia)|作为|我是"
)
_DESCRIBES = re.compile(
    r"\b(?:bild|foto|aufnahme)\b[^.]{0,20}\bzeigt|\bzu sehen\b|\b(?:l'image|la photo|on voit"
    r"|on peut voir)\b(?! que vous)[^.]{0,12}\b(?:montre|représente|un|une|des)\b|\bse (?:ve|ven"
    r"|puede ver|observa)\b|\b(?:la imagen|la foto) muestra|\bmuestra (?:un|una)\b"
    r"|\b(?:l'immagine|la foto) (?:mostra|raffigura)|\bsi vede\b|\b(?:a imagem|a foto) mostra"
    r"|(?:图片|照片|图像|画面)(?:中|里|显示|展示|上)(?!的(?:人物|人))[^。]{4}|(?:写っています"
    r"|写って|映っています|描かれています)"
)


def sees_nothing(clause: str) -> bool:
    """Tell whether a clause says in another language that there is no image to see."""
    found = _BLIND.search(clause)
    return found is not None and _TO_DESCRIBE.search(found[0]) is None


def refuses(clause: str) -> bool:
    """Tell whether a clause declines in another language."""
    return _REFUSED.search(clause) is not None


def describes(clause: str) -> bool:
    """Tell whether a clause says in another language what a photo shows."""
    return _DESCRIBES.search(clause) is not None


def is_about_the_talk(clause: str) -> bool:
    """Tell whether a clause apologises or declines in another language."""
    return any(pattern.search(clause) for pattern in (_APOLOGY, _BLIND, _REFUSED))
