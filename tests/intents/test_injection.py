"""Attacks are refused in every disguise; what customers write about -- or /* or scripts passes."""

import json
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intents import guard, starter

ATTACKS = """
' or 1=1 --
1' OR '1'='1
你好' or 1=1--
请问我的订单 1 union select username, password from users
查一下 order 5; DROP TABLE orders; --
admin' --
1; exec master..xp_cmdshell 'dir'
1 and sleep(5)
'; waitfor delay '0:0:5'--
UnIoN/**/SeLeCt 1,2,3
uni/**/on sel/**/ect 1
<script>alert(1)</script>
请问<script src=//evil.example/x.js></script>怎么用
<img src=x onerror=alert(1)>
<svg/onload=alert(1)>
<a href="javascript:alert(1)">点我</a>
<ScRiPt>alert(document.cookie)</sCrIpT>
<iframe src="https://evil.example"></iframe>
＜script＞alert(1)＜/script＞
＇ ｏｒ １＝１ －－
%27%20or%201%3D1%20--
%3Cscript%3Ealert(1)%3C/script%3E
%253Cscript%253Ealert(1)%253C/script%253E
&lt;script&gt;alert(1)&lt;/script&gt;
&#60;img src=x onerror=alert(1)&#62;
\\x3cscript\\x3ealert(1)\\x3c/script\\x3e
\\u003cscript\\u003ealert(1)
<scr\u200bipt>alert(1)</script>
1 UNION ALL SELECT NULL,NULL,NULL--
select * from information_schema.tables
insert into users values (1,'a')
delete from orders where 1=1
update users set password='x'
""".strip().splitlines()

SENTENCES = """
我买的裙子 -- 就是红色那条 -- 什么时候发货
价格是 99 -- 199 之间吗
订单备注写了 /* 请放门口 */，能看到吗
这个 /* 号是什么意思
能不能给我发一份脚本，英文叫 script
剧本杀的 script 什么时候补货
Do you sell a notebook for script writing?
Is the book "JavaScript: The Good Parts (2nd edition)" in stock?
My son is learning JavaScript; which laptop do you recommend?
I selected two items from the list and one is missing
Please select one from your range for me
can you drop the table off at my office
I'd like to update my address and set a new phone number
delete from my cart please
insert coin or card?
union jack t-shirt, select size M
I can't find it -- it's 'new', isn't it?
size 5 or 6, 5' 11" tall
is it 10" x 12" or 8" x 10"?
what's the price of A & B; and is C > D in quality?
我要"红色"或者'蓝色'的，and 一双袜子
他说“可以退”or“不可以退”，到底哪个
100% 棉吗？50%off 还有吗
价格<100的有吗，>200的不要
order by 5 pm, will it arrive tomorrow?
group buy: having 3 people is enough?
order #CS-20261122-0001 -- where is it?
a=b 还是 a=c？型号 XJ-5=XJ-6 吗
<3 love this shop
:-) ;-) <(^_^)>
my email is o'brien@example.com
I ordered 2 and received 1; exchange or refund?
or else I'll complain
null and void?
https://item.example.com/p?id=123&ref=chat#reviews
why sleep (8 hours) mode?
""".strip().splitlines()


def is_blocked(text: str) -> bool:
    try:
        guard.check(text)
    except guard.Blocked:
        return True
    return False


def test_the_refusal_has_a_stable_code():
    with pytest.raises(guard.Blocked) as refused:
        guard.check("<script>alert(1)</script>")

    assert (refused.value.code, refused.value.status) == ("blocked", 400)


@pytest.mark.parametrize("text", ATTACKS)
def test_an_attack_is_refused(text: str):
    assert is_blocked(text)


@pytest.mark.parametrize("text", SENTENCES)
def test_an_ordinary_sentence_passes(text: str):
    assert not is_blocked(text)


@pytest.mark.parametrize("text", ["' or 1=1 --", "<script>alert(1)</script>"])
def test_an_attack_is_refused_in_the_middle_of_a_long_message(text: str):
    assert is_blocked("我的包裹什么时候到？" * 400 + text + "谢谢" * 100)


@pytest.mark.parametrize("text", ["' or 1=1 --", "<img src=x onerror=alert(1)>"])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_nested_encoding_does_not_hide_it(text: str, layers: int):
    for _layer in range(layers):
        text = quote(text)

    assert is_blocked(text)


def test_the_starter_utterances_pass():
    assert [row["text"] for row in starter.rows("utterances") if is_blocked(row["text"])] == []


def test_real_messages_pass(reference_data):
    path: Path = reference_data("messages_zh") / "messages.txt"

    blocked = [text for text in path.read_text(encoding="utf-8").splitlines() if is_blocked(text)]

    assert len(blocked) <= 4  # 1 in 5,000 of 20,000


def test_harmless_look_alikes_pass(reference_data):
    path: Path = reference_data("injection_payloads") / "benign_lookalikes.jsonl"
    texts = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]

    assert len([text for text in texts if is_blocked(text)]) <= 4  # of 197


@pytest.mark.parametrize(("kind", "least"), [("sqli", 0.98), ("xss", 0.95)])
def test_known_payloads_are_refused(kind: str, least: float, reference_data):
    # About 3 % are fragments that do nothing alone, such as "<br/><hr/>".
    path: Path = reference_data("injection_payloads") / "payloads.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    texts = [row["text"] for row in rows if row["kind"] == kind]

    assert sum(map(is_blocked, texts)) / len(texts) >= least


SQL = ["select ", "union ", "or ", "from ", "char(1", "null", "--", "/*", "*/", "1", "=", ",", "("]
SCRIPT = ["<", "＜", "on", "javascript:", "x[", "'", '"', "%25", "&lt;", "\\x3c", "a", " ", "我"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(SQL + SCRIPT), min_size=1, max_size=4))
def test_ten_thousand_characters_of_anything_take_bounded_time(parts: list[str]):
    unit = "".join(parts)
    text = (unit * (10_000 // len(unit) + 1))[:10_000]

    began = time.process_time()
    is_blocked(text)

    assert time.process_time() - began < 0.5
