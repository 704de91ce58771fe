"""The words of French, Spanish, Italian, Portuguese and Romanian."""

from __future__ import annotations

from backends.answers.vocabulary import Part

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
    Part.SEE: "vois voir voit visualis* affich* ouvrir lire analys* percev* visible*",
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
    Part.NOT: """
        no ningun* ningún nada sin nunca olvid* falta* vacío* vacía* error* problema* tampoco
        """,
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

ROMANIAN = {
    Part.FILLER: """
        a al ai ale o un una unei unui și sau dar că să de din în la pe cu pentru cum ce care este
        sunt e era fi fost acest* această aceasta acea mai doar nou lui ei se s va vreun vreo fie
        dacă când iar tot deci prin către
        """,
    Part.SELF: "eu îmi mi mă pot am meu mea noi nostr* voi",
    Part.YOU: "tu îți ți te dumneavoastră vă dvs ta tău",
    Part.ASK: "rog puteți poți ați încearcă încercați",
    Part.SORRY: "rău scuz* păcate regret*",
    Part.NOT: "nu nicio niciun fără nimic lips* eroare gol goală",
    Part.UNABLE: "imposibil incapabil refuz* capabil*",
    Part.GIVE: "ataș* încărc* trimit* trimi* furniz* oferi partaj* prim* acces* reîncărc*",
    Part.SEE: "văd vedea vezi vizualiz* deschid* afiș*",
    Part.DO: "ajut* descri* identific* răspund* asist*",
    Part.PICTURE: "imagin* foto* poza poză poze fișier*",
    Part.TASK: "cerer* mesaj* solicit* întreb* text*",
}
