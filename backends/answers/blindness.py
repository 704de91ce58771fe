"""Does the model say that it sees no image? Then the fault is the server's or the request's."""

from __future__ import annotations

import re

from backends.answers import other_languages
from backends.answers.clauses import Clauses, describes, is_reported
from backends.answers.phrases import (
    ABSENT,
    ADVERB,
    BEFORE,
    DETERMINER,
    GIVEN,
    JOINED,
    NOUN,
    OBJECT,
    SEE,
    SENSE,
    TAIL,
    UNABLE,
)

_CERTAIN = tuple(
    re.compile(pattern)
    for pattern in (
        # I cannot see the image; I am unable to view or analyse images
        rf"{BEFORE}(?:i|we|it"
        rf"|{DETERMINER}model) {UNABLE}{ADVERB}"
        rf" (?:{SENSE}{JOINED})?{SENSE}{ADVERB}(?:{JOINED}(?:{SEE}))*{ADVERB} {OBJECT}{TAIL}",
        r"\bi am an? [^.!?]{0,80}\b(?:and|that|which|who"
        rf"|so) {UNABLE}{ADVERB} (?:{SEE})(?:{JOINED}(?:{SEE}))*{ADVERB} {OBJECT}{TAIL}",
        # I cannot describe images (all of them, or directly)
        rf"{BEFORE}(?:i|we) {UNABLE}{ADVERB} (?:{SEE})(?:{JOINED}(?:{SEE}))* (?:images|pictures"
        rf"|photos|photographs|visual content|visuals)\b(?! (?:of|that|which|with|contain)){TAIL}",
        rf"{BEFORE}(?:i|we) {UNABLE} (?:directly (?:{SEE})|(?:{SEE}) {DETERMINER}{NOUN} directly)",
        r"\b(?:not possible"
        rf"|impossible)(?: for me)? to {SENSE}(?:{JOINED}(?:{SEE}))* {OBJECT}{TAIL}",
        r"^\W*(?:(?:unfortunately|sorry),? )?(?:cannot|unable to|not able to|could not"
        rf"|failed to) {SENSE}(?:{JOINED}(?:{SEE}))* {OBJECT}\W*$",
        r"\b(?:images?|pictures?|photos?|visuals?|visual content) (?:is"
        r"|are) not something i (?:can|am able to) (?:see|view|process|access)",
        r"\b(?:seeing|viewing|processing|accessing) (?:images?|pictures?|photos?"
        r"|visual\w*)[^.!?]{0,30}\b(?:beyond|outside)(?: of)? my",
        r"\bi (?:am not (?:equipped|built|designed) with|lack) (?:\w+ ){0,2}?(?:image|vision"
        r"|visual|eyes)",
        r"\bi (?:cannot|am unable to|am not able to) (?:see|view|access|open) (?:it|anything"
        r"|what you)(?: here| attached| directly|$|[.,!]| (?:have )?(?:sent|attached|uploaded"
        r"|shared))",
        # I do not see an image; I have not received any photo
        rf"{BEFORE}(?:i|we) (?:(?:do|did) not(?: (?:currently|actually|seem to|appear to"
        r"|yet))* (?:see|have|find|receive|get|detect|notice)(?: access to| received)?"
        r"|am not (?:currently )?(?:seeing|receiving|getting|finding)"
        rf"|have {ABSENT} (?:yet )?(?:been (?:given|provided|sent|shown)(?: with)?|received|seen"
        r"|got|gotten)|was not (?:given|provided|sent|shown|able to (?:see|find|view|open|access"
        r"|load))(?: with)?|could not (?:find|see|open|access|load)|cannot (?:find"
        rf"|locate)) {OBJECT}{TAIL}",
        rf"\b(?:i|we) (?:see|received|have|got|find) no {OBJECT}{TAIL}",
        r"\bi (?:do not|cannot) (?:actually |currently )?(?:have|possess)(?: any| the"
        r"| direct)? (?:vision|visual|eyes|sight|computer vision|image"
        r"|multimodal)(?:[- ](?:processing|viewing|recognition|analysis))?(?: (?:capabilit|abilit"
        r"|access|perception|input|support)\w*|\b)",
        rf"\bi (?:do not|have no)(?: have)? (?:direct )?access to {OBJECT}",
        # no image was provided; there is no image attached
        r"(?:^\W*|\b(?:that|but|and|like|unfortunately|sorry|however|since|as|because|when"
        rf"|if),? |[,.:;!] ?)no {OBJECT} (?:(?:was|were|is|has|have|had|seems?|appears?|came"
        rf"|got)\b ?)?(?:been |to be |to have been )?(?:actually |currently )?(?:{GIVEN}|through"
        r"|with (?:your|this))\b",
        rf"^\W*(?:(?:(?:unfortunately|sorry),? )?no {NOUN}(?: here)?|{NOUN} (?:not (?:found"
        r"|provided|available|attached|visible|received)|missing|unavailable))\W*$",
        r"\bthere (?:is|was|are|were|seems? to be|appears? to be) (?:currently |actually )?(?:no"
        rf"|not an?y?) {OBJECT}(?=\W*$|[.,;!?]| (?:{GIVEN}|in (?:your|this|our|the (?:message"
        r"|chat|conversation|prompt|request))|with (?:your|this)|for me|to (?:describe|caption"
        r"|analy|view|see|look|process|work)|that i|that you|associated|accompanying|and)\b)",
        r"\bthere (?:does not|do not|did not|is not|was not|are not)(?: (?:actually|currently"
        rf"|seem|appear))*(?: to be| to have been)? (?:an?|any) {OBJECT}(?=\W*$|[.,;!?]"
        rf"| (?:{GIVEN}|in (?:your|this|our|the (?:message|chat|conversation))|with|for me|to"
        r"|that|you|and)\b)",
        # the image did not come through; your message has no image
        rf"{BEFORE}(?:the|your|an?|this|any|seems the|seems your|looks like the"
        r"|looks like your) (?:(?:attached|uploaded"
        rf"|requested) )?{NOUN}\b[^.!?]{{0,60}}?\b(?:(?:did|does|do|has|have|was|were|is|are"
        r"|could|can|may|might) ?not|failed|fails) (?:\w+ ){0,3}?(?:come through|came through"
        r"|upload(?:ed)?|attach(?:ed)?|provided|included|load(?:ed)?(?: correctly| properly)?"
        r"|accessible|available to me|shared|received|sent|transmit(?:ted)?|render(?:ed)?"
        r"|go through|gone through|make it through|show up|supported|visible to me|viewed"
        r"|loading|opened|accessed|processed|supported)(?=\W*$|[.,;:!?]| (?:correctly|properly"
        r"|successfully|for|on my|in (?:my|your|this|our)|with|here|yet|so|and|because"
        r"|to (?:your|this|our|me|us|the (?:message|chat|conversation|prompt))|at|by|directly"
        r"|again|from|as)\b)",
        rf"\b(?:the|your|any) {NOUN} (?:is|are|was|appears? to be|seems? to be|might be"
        r"|may be) (?:missing|unavailable|inaccessible|not visible|not there|not accessible"
        r"|not attached)\W*$",
        r"\byour (?:message|request|prompt|question|query|input) (?:(?:does"
        r"|did) not (?:seem to )?(?:contain|include|have)|contains? no|has no|includes? no"
        rf"|(?:only )?contains? only|only contains) {DETERMINER}(?:{NOUN}|text)",
        r"\byou (?:have not|did not|had not|forgot to|(?:may|might|must) (?:have )?(?:forgotten"
        r"|missed|neglected|forgot|not have)(?: to)?"
        r"|(?:have )?only)(?: \w+){0,3}? (?:provided?|attach(?:ed)?|upload(?:ed)?|included?"
        r"|shared?|sen[dt]|add(?:ed)?|insert(?:ed)?|pasted?|suppl(?:y|ied)|given?|link(?:ed)?"
        rf"|submit(?:ted)?)\b(?: \w+){{0,3}}? (?:{NOUN}|anything|text)\b",
        r"\b(?:nothing|none|no file) (?:is |was )?(?:attached|uploaded|included|shared|provided)\b",
        rf"\bno {NOUN} (?:has |have |had )?(?:come|came|arrived|reached)\b",
        rf"\bnot (?:allow|permit|enable|let) me (?:to )?{SENSE} {OBJECT}{TAIL}",
        r"\bi only (?:get|see|have|receive) (?:your|the) (?:words|text|message|prompt)\b",
        rf"\bi am missing (?:the|an|your) {NOUN}\b",
        rf"\b(?:the|your) {NOUN} (?:is|does|seems|appears) not (?:seem |appear )?"
        r"(?:to be )?(?:here|there)\b",
        r"\bmy (?:vision|visual|image)[^.!?]{0,30}\b(?:not|disabled|unavailable|limited)\b",
        # I am a text-only model; this model does not take images
        r"\b(?:am|as|being) (?:just |only |merely "
        r"|currently )?(?:an? )?(?:[\w-]+ ){0,3}text[- ]?(?:based|only)\b",
        r"\b(?:i|we) (?:can |am able to |am designed to |am )?only (?:able to "
        r"|designed to )?(?:\w+ (?:and|or) )?(?:process|understand|handle|work with|read|see"
        r"|interpret|have access to|support|receive|received|got|saw|was given|accept|respond to"
        r"|respond with)(?: and \w+| or \w+)* (?:plain |written )?(?:text|a text|the text)\b",
        r"\bas an? [^.,!?]{0,40}\bwithout (?:vision|eyes|sight|visual)",
        rf"\b{NOUN} (?:that |which )?(?:i have not|i was not|was never"
        r"|has not) (?:been )?(?:shown|seen|given|received)",
        r"\bi (?:can )?(?:process|understand|work with|handle|see) (?:text only"
        r"|only (?:the )?text)\b",
        r"\b(?:my|current) (?:capabilit\w+|abilities|functions?|training|inputs?) (?:are"
        r"|is) (?:currently )?(?:limited|restricted) to (?:\w+ )?(?:text|language)",
        r"\b(?:this|the|current|selected) model (?:does not|cannot|is not able to) (?:support"
        r"|accept|process|handle|take|see|view) (?:images?|vision|visual|multimodal|pictures?"
        r"|photos?)",
        r"\b(?:images?|vision|image inputs?|multimodal input)(?: is| are)? not (?:enabled"
        r"|supported|available)\b",
        r"\bwithout (?:(?:being able to|seeing|viewing|access to|having) )?(?:see |view "
        rf"|access )?{DETERMINER}{NOUN}\b[^.!?]{{0,40}}?(?:i |we )?(?:{UNABLE}|can only|will not"
        r"|would be)",
    )
)

_ASKS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(?:please|kindly|could you|can you|would you|will you|you (?:can|could|need to|may"
        r"|will need to|should|must)|try(?: to)?|if you(?: could| can| would)?"
        r"|once you(?: have)?|feel free to|for me to|go ahead and|when you|as soon as you"
        r"|i need you to|just|need you to|until you|after you) (?:\w+ ){0,3}?(?:provided?"
        r"|providing|upload(?:ed|ing)?|attach(?:ed|ing)?|shared?|sharing|send(?:ing)?|sent"
        r"|included?|paste|add|insert|submit|re-?upload(?:ing)?|re-?send(?:ing)?|re-?attach"
        r"|supply|give|show|drop|post)\b(?: (?:me|us|it|here|with|and|or|again|try|\w+ing|upload"
        r"|attach|paste|send|share))* (?:(?!(?:another|different|other|new|more"
        rf"|identification)\b)[\w'-]+ ){{0,4}}?{NOUN}(?=\W*$|[.,;!?:(]| (?:you|so|and|or|here"
        r"|that|again|to|for|in|directly|first|of|as|i|below|then|if|with|we|itself|via|file"
        r"|using|by)\b)",
        r"\b(?:please|could you|can you|try to|try) (?:\w+ )?(?:re-?upload|upload|attach|resend"
        r"|send|share)(?:ing)? it\b",
        rf"^\W*(?:send|show|upload|attach|share) (?:me |us )?(?:the|an?|your) {NOUN}\W*$",
        r"\b(?:issue|problem|error|trouble|difficulty)s? (?:with|in|while|when|loading|accessing"
        r"|viewing|opening|processing|uploading)[^.!?]{0,30}?\b(?:upload\w*|image|photo|picture"
        r"|attachment|file)\b",
        rf"\b{NOUN}(?: link| url| file)? (?:appears?|seems?|is|was|looks|might be"
        r"|may be)(?: to be)? (?:broken|corrupt\w*|empty|invalid|unreadable|blank on my end"
        r"|damaged)\b",
        rf"\b(?:which|what) {NOUN} (?:would|do|should|are|did) you\b",
        rf"\bwhere is (?:the|your) {NOUN}\b",
        r"\b(?:i|we) (?:will |would |do |still |first )*(?:need|require) (?:(?:to|you to) (?:see"
        r"|view|have|look at|provide|upload|share|attach|send|access to) )?(?:the|an|your"
        rf"|to see the|access to the|a) (?:actual |specific )?{NOUN}{TAIL}",
        r"\b(?:waiting for|awaiting|look forward to (?:seeing|receiving)|ready (?:to"
        rf"|for)) (?:see |view |receive |describe |caption )?(?:the|your|an) {NOUN}\b",
    )
)


_INTRODUCES = re.compile(r"\b(?:message|words?|text|note|error|sign|screen|title|bubble)\W*$")
_HINTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(?:i|me|my|we|us|your?)\b",
        r"\b(?:cannot|not|unable|no|never|without|beyond|outside|none|nothing|blind|lack\w*)\b",
        rf"\b{NOUN}\b",
        r"\b(?:see|seeing|view\w*|access\w*|process\w*|visual\w*|vision|perceiv\w+|blind|load\w*"
        r"|open\w*)\b",
    )
)
_MISSES_SOMETHING_ELSE = re.compile(
    rf"\b(?:see|seeing) (?!(?:what|that|it)\b)(?!(?:\w+ ){{0,4}}?{NOUN}(?!\s(?:frame|book|album"
    rf"|shop)))|\b(?:any|no) (?!(?:\w+ ){{0,2}}?{NOUN})\w+(?: \w+)? (?:in|on)\b|\bclear(?:ly)?\b"
    r"|\bwell\b"
)


def sees_nothing(clauses: Clauses) -> bool:
    """Tell whether the model says that it was given no image, or asks for one."""
    for number, clause in enumerate(clauses.all):
        if is_reported(clause):
            continue
        if any(_is_said(clause, found) for each in _CERTAIN if (found := each.search(clause))):
            return not clauses.describe(before=number)
        if other_languages.sees_nothing(clause):
            return not clauses.describe(before=number)
    asks = any(pattern.search(clause) for pattern in _ASKS for clause in clauses.all)
    return asks and not clauses.describe()


def implies_blindness(clauses: Clauses) -> bool:
    """Tell whether an answer that describes nothing speaks of not seeing, in whatever words."""
    head = clauses.head
    return (
        not clauses.describe()
        and not any(map(is_reported, clauses.all))
        and all(each.search(head) for each in _HINTS)
        and _MISSES_SOMETHING_ELSE.search(head) is None
    )


def _is_said(clause: str, found: re.Match[str]) -> bool:
    """Tell whether the model says it, and not a message that the photo shows."""
    before = clause[: found.start()]
    return not (describes(before) or _INTRODUCES.search(before))
