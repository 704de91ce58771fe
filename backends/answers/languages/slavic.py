"""The words of Russian, Ukrainian, Polish and Czech."""

from __future__ import annotations

from backends.answers.vocabulary import Part

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

UKRAINIAN = {
    Part.FILLER: """
        і й та в у на з зі із до від для що щоб як якщо але або це цей ця цю цього цьому цим цієї є
        був* бути ще раз знову вже також тільки тут там його її їх про по за о схоже здається
        """,
    Part.SELF: "я мені мене мій моя мною ми нам нас можу",
    Part.YOU: "ви вам вас ваш* ти тобі тебе",
    Part.ASK: "прошу ласка будь можете могли спробуй*",
    Part.SORRY: "вибач* жаль перепрош* шкода прикро",
    Part.RULE: "політик* правил* конфіденційн* безпек* заборон*",
    Part.NOT: "не немає нема жодн* нічого без помилк* порожн*",
    Part.UNABLE: "неможлив* відмовля*",
    Part.GIVE: """
        завантаж* прикріп* надісл* надішл* надай* надати надан* отрим* поділ* доступ* вкладен*
        """,
    Part.SEE: "бач* побач* перегля* відкри* відобра*",
    Part.DO: "допомо* опис* ідентиф* розпізн* відпов* викона*",
    Part.PICTURE: "зображен* фото* картин* знім* файл*",
    Part.TASK: "запит* повідомлен* прохан*",
}

CZECH = {
    Part.FILLER: """
        a v ve na s se si z ze do o k ke u pro ale že aby jak jestli pokud nebo to ta ten tento tuto
        toto této tohoto tím tom tomu s je jsou byl* být už ještě jen také zde tady tam znovu ani
        která které který bude prosím-vás zdá některé
        """,
    Part.SELF: "já mi mě mně můj mám nám my jsem mohu můžu",
    Part.YOU: "vy vám vás váš vaš* ty ti tě tvůj",
    Part.ASK: "prosím můžete můžeš mohli zkuste zkus",
    Part.SORRY: "omlouv* bohužel lituj* promiň* líto pardon",
    Part.NOT: "ne není žádn* nic bez chyb* prázdn* nevid* nebyl* nemáte nemám nedosta* neobdrž*",
    Part.UNABLE: "nemohu nemůžu nelze neumím nedokážu nejsem odmítám nepodařilo nemožné",
    Part.GIVE: "nahr* přilož* přiložen* připoj* poslat pošl* zašl* poskyt* sdíl* obdrž* přístup",
    Part.SEE: "vid* zobraz* otevř* zpracov*",
    Part.DO: "pomoc* pomoct pomoci pomáh* pops* popis* identifik* odpov* rozpozn*",
    Part.PICTURE: "obráz* obraz* fotk* fotograf* foto soubor*",
    Part.TASK: "žádost* zpráv* požadav* dotaz* text*",
}
