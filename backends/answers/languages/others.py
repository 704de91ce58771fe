"""The words of Arabic, Hebrew, Greek, Turkish, Finnish and Hungarian."""

from __future__ import annotations

from backends.answers.vocabulary import Part

ARABIC = {
    Part.FILLER: """
        في من على إلى عن مع أن ان إن هذا هذه بهذه بهذا لهذه لهذا ذلك تلك التي الذي هو هي أو و ثم
        لكن ولكن كان كانت يكون تكون قد ما كما بعد مرة أخرى أي هناك هنا حاليا بشكل إذا حتى تم يتم
        كنت فقط الآن وجود حول يبدو تقديم
        """,
    Part.SELF: "أنا لي لدي لدينا أستطيع يمكنني بإمكاني أقدر نحن نستطيع إلي",
    Part.YOU: "لك لكم أنت مساعدتك طلبك رسالتك سؤالك يمكنك",
    Part.ASK: "يرجى الرجاء رجاء أرجو فضلك هل",
    Part.SORRY: "عذرا آسف* أسف نأسف للأسف أعتذر المعذرة نعتذر",
    Part.RULE: "سياسة سياسات الخصوصية السلامة إرشادات مسموح",
    Part.NOT: "لا لم ليس ليست لن غير لست دون بدون فارغ* خطأ",
    Part.UNABLE: "تعذر يتعذر عاجز قادر قادرا أرفض",
    Part.GIVE: """
        إرسال ارسال أرسل* تحميل رفع إرفاق ارفاق مرفق* أستلم استلام تلق* أتلق* مشاركة شارك*
        توفير تصلني
        """,
    Part.SEE: "رؤية أرى عرض مشاهدة تظهر يظهر فتح",
    Part.DO: "مساعد* المساعدة وصف* بوصف التعرف تحديد الإجابة الرد شرح تنفيذ",
    Part.PICTURE: "صور* الصور* للصورة بالصورة ملف* الملف",
    Part.TASK: "طلب* الطلب رسال* الرسالة محتوى المحتوى سؤال السؤال",
}

HEBREW = {
    Part.FILLER: """
        את של על עם או וגם גם זה זו זאת הזה הזו הזאת בזה כי אם אבל רק שוב עוד יש היה להיות כל עכשיו
        כך לכן מה בכך כדי
        """,
    Part.SELF: "אני לי שלי אנחנו יכול יכולה אוכל",
    Part.YOU: "אתה לך שלך אתכם תוכל תוכלי",
    Part.ASK: "בבקשה נא אנא אפשר",
    Part.SORRY: "מצטער* סליחה צר לצערי מתנצל*",
    Part.NOT: "לא אין בלי ללא שום שגיאה",
    Part.UNABLE: "מסוגל* מסרב*",
    Part.GIVE: "לצרף צורף צורפה צרף שלח* לשלוח העל* להעלות שתף לשתף קיבלתי התקבלה",
    Part.SEE: "רואה לראות נראה רואים",
    Part.DO: "לעזור לתאר לזהות לענות לסייע עזרה",
    Part.PICTURE: "תמונ* התמונ* בתמונ* צילום קובץ",
    Part.TASK: "בקש* הבקש* הודע* בהודע* שאל*",
}

GREEK = {
    Part.FILLER: """
        ο η το οι τα του της των τον την τη στο στη στην στον στα και ή αλλά ότι πως να θα για με
        από σε που αν είναι ήταν έχει έχετε έχω αυτό αυτή αυτήν αυτής πάλι ξανά μόνο εδώ κάποι*
        φαίνεται ως τι μια ένα
        """,
    Part.SELF: "μου εγώ μας μπορώ είμαι",
    Part.YOU: "σας σου εσείς εσύ μπορείτε μπορείς θέλετε θέλεις",
    Part.ASK: "παρακαλώ δοκιμάστε",
    Part.SORRY: "συγγνώμη λυπάμαι δυστυχώς",
    Part.NOT: "δεν μη μην καμία κανένα καμιά χωρίς τίποτα σφάλμα",
    Part.UNABLE: "αδύνατο* αδυνατώ αρνούμαι θέση",
    Part.GIVE: "επισυν* ανεβ* στείλ* στέλν* κοινοποι* παρέχ* λάβ* έλαβα",
    Part.SEE: "βλέπ* δω δει προβ* ανοίξ*",
    Part.DO: "βοηθ* περιγρά* αναγνωρ* ταυτοποι* απαντ*",
    Part.PICTURE: "εικόν* φωτογραφ* αρχεί*",
    Part.TASK: "αίτημα* μήνυμα* ερώτη*",
}

TURKISH = {
    Part.FILLER: """
        bu şu o bir ve ile veya ama ancak fakat da de için gibi kadar daha çok en mi mı mu mü olarak
        olan ki ise ya tekrar yeniden sadece şu an anda konu* nedenle böyle hakkında ilgili bile
        """,
    Part.SELF: "ben bana benim bizim biz",
    Part.YOU: "sen sana siz size sizin mesajın*",
    Part.ASK: "lütfen misiniz mısınız musunuz müsünüz misin",
    Part.SORRY: "üzgün* maalesef özür affed* yazık kusura",
    Part.NOT: "değil* yok hiçbir herhangi olmadan bulunm* eksik hata boş almad*",
    Part.UNABLE: """
        göremi* görem* edem* olam* açıklayam* betimleyem* tanımlayam* tanıyam* verem* yapam*
        yanıtlayam* cevaplayam* yorumlayam* mümkün imkansız reddediyorum
        """,
    Part.GIVE: "yükle* ekle* ekli gönder* paylaş* ilet*",
    Part.SEE: "gör* görüntüle* açılm*",
    Part.DO: "yardım* açıkla* betimle* tanımla* cevap* yanıt* yorum* destek*",
    Part.PICTURE: "resim* resm* görsel* fotoğraf* görüntü* dosya*",
    Part.TASK: "mesaj* istek* isteğ* talep* soru* metin*",
}

FINNISH = {
    Part.FILLER: """
        on ole ollut olla se tämä tämän tätä tässä tuo että ja tai mutta jos kun niin myös vain nyt
        uudelleen uudestaan tämäntyyppis* siitä sen sitä jotta koska sillä asia* asiassa mitään
        """,
    Part.SELF: "minä minun minulla minua minulle voi pysty voin",
    Part.YOU: "sinä sinun sinulle voit voisitko viesti*",
    Part.ASK: "ystävällisesti pyydän ole-hyvä hyvä yritä",
    Part.SORRY: "valitettavasti pahoittel* anteeksi",
    Part.NOT: "en ei eivät ilman puuttu* virhe* tyhjä",
    Part.UNABLE: "mahdoton* kieltäydyn",
    Part.GIVE: "liit* lähet* lataa lataisit ladattu jaa toimit* vastaanot* saanut",
    Part.SEE: "näe näen nähdä näy* kats* avata",
    Part.DO: "auttaa auta kuvail* kuvata tunnist* vasta* avust*",
    Part.PICTURE: "kuva kuvaa kuvan kuvia kuvat kuvas* valokuv* tiedosto*",
    Part.TASK: "pyyntö* pyynnö* kysymy*",
}

HUNGARIAN = {
    Part.FILLER: """
        a az egy ez ezt ezen ebben ennek erre arra és vagy de hogy ha is csak most újra még már meg
        van vannak lehet mert mint azt ezzel kapcsolatban így
        """,
    Part.SELF: "én nekem tudok tudom vagyok szeretném",
    Part.YOU: "te ön önnek neked tudná tudnád",
    Part.ASK: "kérem kérlek szíves szíveskedjen próbálja",
    Part.SORRY: "sajnál* sajnos elnézés* bocsánat*",
    Part.NOT: "nem nincs nélkül hiba hiány* üres semmilyen",
    Part.UNABLE: "képtelen lehetetlen",
    Part.GIVE: "feltölt* töltse töltsd csatol* küld* megoszt* kaptam kapott mellékel*",
    Part.SEE: "lát* megnéz* megjelen*",
    Part.DO: "segít* leír* azonosít* válasz*",
    Part.PICTURE: "kép képe* képet képen képek fotó* fájl*",
    Part.TASK: "kérés* üzenet*",
}
