"""The parts of sentences in which models speak of themselves, as pieces of patterns."""

from __future__ import annotations

ADVERB = (
    r"(?: (?:directly|actually|currently|really|just|simply|physically|yet|also|even|personally"
    r"|seem to|appear to))*"
)
UNABLE = (
    r"(?:(?:currently|also|just|still|unfortunately|actually|honestly|simply) )?(?:(?:cannot"
    r"|could not)(?: be able to)?|(?:am|are|is) (?:currently |also |just "
    r"|still )?(?:not (?:currently |yet |actually )?(?:able|allowed|permitted|comfortable"
    r"|equipped|designed|programmed|capable|going|authori[sz]ed|in a position)|unable|incapable"
    r"|prohibited|restricted|forbidden)(?: to| of| from| with)?|(?:do|does) not (?:currently "
    r"|actually )?(?:have|possess) (?:the|any) (?:ability|capability|capacity|means|tools"
    r"|power)(?: to| of| for)?|lacks? the (?:ability|capability|capacity)(?: to| of)?|(?:have"
    r"|has) no (?:ability|way|means|capability)(?: to| of)?)"
)
"""What says that somebody is unable, after `i` or the like."""

BEFORE = (
    r"(?:^\W*|[,:;.!?()]\s*|\b(?:that|but|and|so|because|since|as|while|model|ai|assistant"
    r"|chatbot|unfortunately|however|sorry|afraid|currently|therefore|like|if|hence|apologies"
    r"|appears|seems|looks|see|think|believe|apologies|time) )"
)
"""What may stand before a clause in which the model speaks of itself."""

DETERMINER = (
    r"(?:(?:an?|any|the|this|that|your|these|those|actual|attached|uploaded|visual|external"
    r"|embedded|linked|provided|digital|shared|associated|accompanying|specific|such|valid|of"
    r"|contents?|or) ){0,4}"
)
NOUN = (
    r"(?:images?(?: (?:files?|data|content|attachments?|inputs?|uploads?|urls?|links?))?"
    r"|pictures?|photos?|photographs?|pics?|attachments?|files?|visuals?|media|urls?|links?"
    r"|screenshots?|visual (?:content|inputs?|information|data|media)|graphics)"
)
OBJECT = (
    rf"{DETERMINER}{NOUN}(?:(?:,| or| and|, or|, and|/) ?{DETERMINER}(?:{NOUN}|videos?)){{0,3}}"
)
OBJECT = rf"(?:{OBJECT}|what is (?:in|on|shown in|depicted in) (?:the |your |this ){NOUN})"
TAIL = (
    r"(?=\s*(?:$|[.,:;!?)(…]|(?:and|or|as|so|here|that (?:you|was|were|is)|you|to|at all|at this"
    r"|at the moment|from|yet|right now|directly|because|since|attached|uploaded|provided|shared"
    r"|sent|linked|included|being|either|via|through|within?|without|embedded|myself|itself|due"
    r"|currently|unless|in order|before|first|like|for you|for me|associated|available|present"
    r"|visible|in (?:this|our|your|the (?:chat|message|conversation|prompt|request))|on (?:my"
    r"|your)|with (?:your|this)|by)\b))"
)
SEE = (
    r"(?:see|view|access|open|look at|perceive|load|receive|process|inspect|examine|observe|find"
    r"|detect|visuali[sz]e|read|display|interpret|analy[sz]e|recogni[sz]e|describe|caption"
    r"|identify)(?:ing)?|(?:seeing|viewing|accessing|processing|perceiving|analy[sz]ing"
    r"|interpreting)"
)
SENSE = (
    r"(?:see|view|access|open|look at|perceive|load|receive|process|find|detect|visuali[sz]e|read"
    r"|display|seeing|viewing|accessing|processing|perceiving|opening|loading)"
)
JOINED = r"(?:,? ?(?:or|and|/|,) ?)"
ABSENT = r"(?:not|never)"
GIVEN = (
    r"(?:attached|provided|uploaded|shared|included|received|sent|visible|available|detected"
    r"|present|found|loaded|supplied|given|submitted|accessible|displayed|transmitted|rendered"
    r"|processed|selected|here|there)"
)
