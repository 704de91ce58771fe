"""The words of English: the judge was made with them, and most models speak it."""

from __future__ import annotations

from backends.answers.vocabulary import Part

ENGLISH = {
    Part.FILLER: """
        a an the this that these those it its he she they his her their them of in on at to for
        from with by and or as so if then than be is are was were been being am do does did doing
        has have had having will would shall should may might must can could which who whom what
        when where why how there here too also just only even still yet already actually really
        very quite more most much any some such other another else one two three four first next
        all both each every about into out up down over under through before after until while
        because since due however but although though otherwise lets s get got gets getting go
        goes going come came coming make makes made take takes took put keep seem* appear* look
        looking like want* wish* able time now again once soon good pleas* love thing things
        something anything everything way ways kinds sort part parts bit lot end side start*
        begin* turn* try* tried further full fully proper* correct* direct* complete* particular*
        certain likely possibl* perhaps probably general* personal* physical* technical* honest*
        sometimes often always usually within between among per via using used use uses based same
        own itself myself yourself themselves yours mine either neither nor says said saying tell*
        told speak* know* think* thought believe* feel* felt mean* refer* mention* matter* cases
        point* reason* assum* imagin* remember* find* found contain* includ* exist* happen* occur*
        becom* remain* stay* give* gave set sets regard* according therefore thus hence
        additionally type* short brief long detail* specific* exact* accurate* few new different
        similar several additional main best better extra small large whatever whichever anyone
        anybody someone somebody everyone nobody day today left definitely indeed around during
        upon across along near behind below above against outside interesting appropriate suitable
        helpful relevant important ago early earlier ever etc eg ie vs check* ensur* confirm*
        verif* switch* choos* follow* creat* wait* arriv* appreciat* understand* glance moment*
        intend* expect* topic* briefly simple single line lines purpose* result* step* suppos*
        area areas fall size length back away developer* meta google show shows showing lead leads
        mistake* learn* improv* rely relies aim goal focus ideas insight* overall broad* rather
        valid hard difficult easy useful possibility opportunity manner nature sensible versions
        upcoming future present currently degree truly truthful* fabricat* invent* suggest*
        recommend* advis* discourage* consider* option* approach solution* trust fact facts
        factual fair pass passed work works working call called formed many shape service recent
        trigger* scope example* instance level extent depth accuracy confidence confident evidence
        interpretation curious curiosity patience shortly fresh browser device page version
        upgrade account mobile desktop app quality resolution extend* beyond entire whole
        elsewhere somewhere comes besides whenever wherever later sake respectfully simply merely
        solely purely exclusively rest common attempt* manage managed idea quick quickly easily
        gentle kind alternative* maybe circumstances situation situations instead forth
        role lovely wonderful nice hope* unknown permission* conclude fine busy enough hold
        successful* previous*
        """,
    Part.TOPIC: """
        people person persons individual* human* man men woman women face faces facial child*
        minor* adult* celebrit* figure* identit* appearance* name named names age gender race
        ethnic* body medical* doctor* health* diagnos* dermatolog* radiolog* patholog* physician*
        clinic* condition* symptom* treatment professional* qualified licensed expert* nud* naked
        sexual* erotic* porn* violen* blood* weapon* drug* illegal* logo* brand* trademark*
        material* politic* religio* legal* private real background scene* color* colour* mood
        atmosphere* lighting clothing clothes pose* object* action* activit* emotion* expression*
        style* visible* aspect* element* feature* place* season* location* world life data event*
        settings gore gory stranger* public victim* injur* suicid* abuse* terror* extrem* gambl*
        alcohol tobacco crime* criminal* intimate intimacy biography nationality attractiveness
        looks weight disability crisis hotline* helpline* lifeline* emergency authorities
        authority contact seek self lawyer attorney therapist counselor counsellor cardiologist
        specialist* harm
        """,
    Part.SELF: "i me my we us our ours let",
    Part.YOU: "you your user users",
    Part.ASK: "please kindly hesitate requir* need*",
    Part.SORRY: """
        sorry apolog* unfortunately regret* afraid forgive inconvenience confusion alas pardon
        sadly unluckily
        """,
    Part.ROLE: """
        ai assistant chatbot llm languagemodel model capabilit* abilit* capacity capable programm*
        designed equip* built textonly multimodal platform system setup interface tool tools
        software openai anthropic trained bot plugin environment claude gemini gpt chatgpt grok
        llama qwen mistral pixtral gemma perplexity copilot deepseek internvl llava phi nonvisual
        linguistic virtual artificial intelligence automated algorithm* neural knowledge cutoff
        creators makers engineers
        """,
    Part.RULE: """
        policy policies guideline* rule rules safety safe safeguard* privacy terms violat*
        prohibit* inappropriate explicit harmful offensive unethical ethic* consent restrict*
        respect* comfortabl* uncomfortable conscience allowed permit* flagged block* filter*
        moderat* disallow* forbid* responsib* biometric unsafe redacted withheld rejected denied
        boundar* limitation* standards principle* values withhold* disclos* unwilling willing
        protect* speculat* breach* conflict* censor* hate* discriminat* instructed legal law laws
        moral* danger* unlawful consensual authoriz* authoris* confidential* nsfw exploitative
        stereotyp* sensitiv* guardrail* unacceptable appropriateness misuse concern* removed
        hidden limits lawful* obligat* entitled mandate* appropriately liability defam* dignity
        anonym* regulation* regulatory jurisdiction gdpr copyright* integrity
        """,
    Part.UNABLE: """
        cannot unable incapable impossible lack* unsupported inaccessible struggl* trouble declin*
        refus* refrain* abstain* comply complian* avoid* sidestep* opt reluctan* skip hesita*
        impair* insufficient cease withdraw forego prevent* barred banned ineligible powerless
        unqualified bound halt*
        """,
    Part.NOT: """
        no not never missing broken corrupt* blank empty unavailable invalid unreadable without
        wrong issue* problem* blind forgot* omit* neglect* lost damaged gone nope nah fail*
        expired truncated disabled deactivated deleted malformed incomplete interrupted aborted
        cancelled canceled dead undecodable nowhere undetected undelivered unopened unprocessed
        incompatible faulty glitch* nothing misplaced absent bad unsuccessful* unresponsive
        unrecognized unrecognised zero lacking ran unreceived incorrect invisible vanish* disappear*
        """,
    Part.GIVE: """
        upload* reupload* attach* provid* send* sent resend* submit* insert* receiv* arrived
        include included includes load* reload* download* link linked add added adding drop
        dropped deliver* retry resubmit* available embed* access* input* shown retriev* fetch*
        transfer* enclos* reach reached support* forward* furnish* reattach* relay* provision
        submission refresh* redo post posted import* browse paste pasted pasting share shared
        sharing supply supplied click* tap paperclip accept* await* pending accompan* drag
        select* transmi*
        """,
    Part.SEE: """
        see sees seeing saw seen view* process* perceiv* open opened opening read reading inspect*
        display* render* decod* detect* observ* notic* eyes vision sight visual* visibility
        glimpse handle handling find finding locate
        """,
    Part.DO: """
        describ* descript* talk* identif* recogni* assist* help helps helping comment* discuss*
        answer* respond* respons* fulfil* accommodat* generat* writ* wrote explain* offer*
        caption* transcrib* determin* reveal* infer* continu* proceed* complet* summar* analy*
        examin* judge* evaluat* assess* satisf* cooperat* guess* estimat* elaborat* clarif*
        depict* portray* narrat* paraphras* interpret* facilitat* undertak* oblige obliging aid
        cater serve perform handled engage engaging produce produced producing tell say speak
        spoke
        """,
    Part.PICTURE: """
        img image* picture* photo photos photograph photographs pic pics attachment* file files
        media screenshot* graphic* url urls format png jpeg jpg webp gif pdf visuals
        metadata
        """,
    Part.TASK: """
        request* prompt* message* conversation* chat* task* instruction* sentence* word words text
        alt keyword* title* label* query case characters output* format* limit* guess template
        placeholder content* information context untitled undefined null none n/a comma session
        discussion subject* setting* composition draft final blurb summary phrase wording tagline
        hashtag* paragraph* bullet* snippet narrative question*
        concise informative engaging descriptive vivid obvious verb verbs adjective* tip tips
        preamble
        """,
    Part.MACHINE: """
        server* internal timeout* timed exceed* rate retri* exception* traceback gateway overload*
        memory cuda token* api status http* code json quota mismatch tensor py runtime* module
        fatal unauthorized billing bytes allocate* gpu backend endpoint occurred temporarily
        output error* network upstream disconnect* header* socket proxy dns handshake function
        unreachable unexpected segfault oom malloc allocator undefinedfunction typeerror
        stacktrace nullpointer unhandled uncaught throttl* ratelimit deprecated deploy* inference
        hostname ssl certificate payload schema parameter* argument* parse* syntax nonetype
        attribute* terminated int str dict tuple dtype connect connection reset peer
        """,
    Part.PLAN: "the-plan",
    Part.CHAT: """
        sure okay ok yes great hello hi hey thanks thank done certainly ready alright hmm hm oops
        whoops oh welcome gladly happy glad delighted absolutely understood greetings noted
        """,
    Part.ORDER: "the-order",
}
