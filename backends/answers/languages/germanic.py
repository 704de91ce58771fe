"""The words of German and Dutch, and of Swedish, Norwegian and Danish as one language."""

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

SCANDINAVIAN = {
    Part.FILLER: """
        i på av med om för til till från fra som att at det den de denna dette denne detta dessa
        disse en ett et eller och og men är er var har ha hade kan skal ska skulle vil vill måste
        må också også även her här der där då da nu nå så något noget någon nogen noen noe mer
        mere igen igjen än enda bara bare bli* blev ble verkar verker når när hvis om dersom for
        eftersom fordi derfor därför vad hva hvad vilken hvilken hur hvordan gärna gerne gjerne
        mycket meget veldig kommit kommet ut ud dig-selv blivit blitt være vara gått
        """,
    Part.SELF: "jag jeg mig meg mitt min mina mine vi oss vår vårt",
    Part.YOU: "du deg dig din ditt dine ni dere",
    Part.ASK: "vänligen vennligst venligst snälla venlig kunne prøv* försök* behöver trenger",
    Part.SORRY: "tyvärr desværre dessverre ledsen beklag* undskyld unnskyld ursäkt* förlåt lei",
    Part.ROLE: "ai modell* model språkmodell* språkmodel* sprogmodel* assistent* textbaserad*",
    Part.RULE: """
        riktlinj* retningslinj* policy integritet* personvern* privatliv* säkerhet* sikkerhet*
        tillåt* tilladt tillatt regler
        """,
    Part.UNABLE: "oförmögen umulig* omöjlig* vägrar nekter nægter misslyckades mislykkedes",
    Part.NOT: "inte ikke ej ingen inga inget intet uden uten utan fel feil fejl tom tomt problem*",
    Part.GIVE: """
        ladd* upp op opp laste* lastet bifog* vedlagt vedhæft* vedlegg* vedlagd skick* send* sent
        dela dele delt delat få fått fick fått modtag* motta* mottog tillgång tilgang adgang
        """,
    Part.SEE: "ser se sett set vis* öppn* åpn* åbn* visa* synlig*",
    Part.DO: "hjälp* hjelp* hjælp* beskriv* identifi* svar* besvar* behandl* assist* kommentera*",
    Part.PICTURE: "bild* bilde* billed* foto* fil filen filer",
    Part.TASK: """
        meddel* melding* besked* förfråg* forespørs* begäran tekst* text* spørgsmål* spørsmål*
        fråga* anmod*
        """,
}
