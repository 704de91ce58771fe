"""The control tokens of many models, by what they mean for the text around them.

A token that skips from model to model is in one table only: whoever finds another one adds it
to the line of its meaning. All quantifiers are bounded, so that a search stays linear.
"""

from __future__ import annotations

import re

_THOUGHT = (
    r"(?:seed:)?(?:think(?:ing)?|thoughts?|thought_process|reason(?:ing)?|rationale|reflection"
    r"|analysis|scratchpad|antthinking|inner_monologue|chain_of_thought|cot)"
)
_ROLE = r"(?:assistant|model|bot|user|human|system|developer|tool|observation)"

MARKS = re.compile(
    rf"""
    (?P<think>
        <\s{{0,2}}{_THOUGHT}(?:\s[^<>]{{0,80}})?>
      | <\|(?:begin_of_|start_of_|start_)?(?:{_THOUGHT})(?:_start)?\|>
      | (?-i:\[THINK(?:ING)?\])
      | ◁\s?{_THOUGHT}\s?▷
      | <unused94>(?:thought\b)?
      | <\|channel>\s{{0,2}}{_THOUGHT}\b
    )
  | (?P<thought>
        <\s{{0,2}}[/\\]\s{{0,2}}{_THOUGHT}\s{{0,2}}>
      | <\|(?:/|end_of_|end_){_THOUGHT}\|>
      | <\|{_THOUGHT}_end\|>
      | (?-i:\[/THINK(?:ING)?\])
      | ◁\s?/\s?{_THOUGHT}\s?▷
      | <unused95>
      | <channel\|>
    )
  | (?P<answer>
        <(?:final[_ ])?(?:answer|conclusion|response)>
      | <\|(?:begin|start)_of_(?:solution|answer|response)\|>
      | <\|start_(?:response|answer)\|>
    )
  | (?P<answered>
        </(?:final[_ ])?(?:answer|conclusion|response)>
      | <\|end_of_(?:solution|answer|response)\|>
      | <\|end_(?:response|answer)\|>
    )
  | (?P<channel>
        <\|channel\|>
        (?: [^<>]{{0,80}}(?:<\|constrain\|>[^<>]{{0,20}})?<\|message\|>
          | \s{{0,2}}(?:analysis|commentary|thought|final)? )
    )
  | (?P<turn>
        <\|(?:im_start|start|start_header_id|start_of_role|header_start)\|>
        \s{{0,2}}{_ROLE}?\s{{0,2}}(?:<\|(?:end_header_id|end_of_role|header_end)\|>)?
      | <(?:start_of_turn>|\|turn>)\s?{_ROLE}?
      | <[|｜]{_ROLE}[|｜]>:?
      | <\|(?:start_of_turn_token|chatbot_token|user_token|system_token)\|>
    )
  | (?P<prompt>\[INST\])
  | (?P<prompted>\[/INST\])
  | (?P<end>
        <\|(?:im_end|eot_id|eot|eom_id|eos|end|endoftext|end_of_text|end_of_turn|endofturn
            |end_of_turn_token|end_of_utterance|endofprompt|endofchunk|return|call|stop|eod)\|>
      | </s>
      | <(?:eos|eot|eod|eoa|eoh|end_of_turn|end_of_utterance|end_of_text|turn\||seed:eos)>
      | <｜end▁of▁sentence｜>
      | (?-i:\[EOS\])
      | \#\#\#(?=\s{{0,3}}(?:human|user|instruction)\b|\s{{0,9}}\Z)
    )
  | (?P<noise>
        <\|(?:box|quad|point|det|ref)_start\|>[-\d\s,.()\[\]]{{0,80}}
        <\|(?:box|quad|point|det|ref)_end\|>
      | <box>[-\d\s,.()\[\]]{{0,80}}</box>
      | <\|(?!(?:begin|end)_of_box)[\w.:/▁-]{{1,40}}\|>
      | <｜[\w▁]{{1,40}}｜>
      | <(?:s|pad|unk|bos|mask|sep|cls|seed:bos|video|audio|\|channel)>
      | </?(?:image|img|phrase|object|grounding|ref)>
      | <(?:image_placeholder|image_soft_token|img_context|imagehere|image_pad|im_patch|imgpad
          |start_of_image|end_of_image|boi|eoi|fake_token_around_image|global-img)>
      | <(?:loc_?|seg|unused|extra_id_|patch_index_|row_\d{{1,3}}_col_)\d{{1,5}}>
      | </?points?(?:\s[^<>]{{0,200}})?>
      | (?-i:</?CAPTION>|<(?:MORE_)?DETAILED_CAPTION>)
      | (?-i:\[(?:PAD|CLS|SEP|UNK|BOS|IMG|IMG_BREAK|IMG_END)\])
      | (?-i:\[UNUSED_TOKEN_\d{{1,3}}\])
      | <seed:cot_budget_reflect>
    )
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A control token; the name of the group that matched says what the token means.

`think` and `thought` begin and end reasoning, `answer` and `answered` what the model answers
at last. `channel` names the channel of what follows, `turn` the speaker. `prompt` and
`prompted` are around an echo of the question. Behind `end` a model has nothing to say.
"""

_MODEL = re.compile("assistant|model|bot", re.IGNORECASE)
_FINAL = re.compile("final", re.IGNORECASE)


def tells(token: str) -> bool:
    """Tell whether a token means more than nothing, so that it must not be dropped early."""
    found = MARKS.fullmatch(token)
    return found is not None and found.lastgroup != "noise"


def is_model(turn: str) -> bool:
    """Tell whether a turn is the model's; a turn that names nobody is."""
    return re.search(_ROLE, turn, re.IGNORECASE) is None or _MODEL.search(turn) is not None


def is_final(channel: str) -> bool:
    """Tell whether a channel holds the answer."""
    return _FINAL.search(channel) is not None
