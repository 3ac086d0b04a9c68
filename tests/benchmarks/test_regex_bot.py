"""The keyword bot that the product is compared with is made from labelled messages."""

import pytest

from benchmarks import regex_bot
from benchmarks.regex_bot import Shares

TRAIN = [
    ("我要退款", "refund"),
    ("怎么退款呀", "refund"),
    ("申请退款", "refund"),
    ("什么时候发货", "shipping"),
    ("今天发货吗", "shipping"),
    ("到底发货没有", "shipping"),
    ("where is my parcel", "shipping"),
    ("my parcel please", "shipping"),
    ("讲个笑话", "joke"),
]


@pytest.fixture(scope="module")
def bot():
    return regex_bot.induce(TRAIN, precision=0.5, support=2)


class TestInduce:
    def test_answers_by_the_keyword_of_an_intent(self, bot):
        assert bot.intent_of("退款退款！！") == "refund"
        assert bot.intent_of("请问几号发货") == "shipping"

    def test_hands_over_where_nothing_matches(self, bot):
        assert bot.intent_of("你们招人吗") == ""

    def test_an_english_keyword_is_a_word_and_not_a_part_of_one(self, bot):
        assert bot.intent_of("My PARCEL?") == "shipping"
        assert bot.intent_of("myparcels") == ""

    def test_no_rule_is_rarer_than_asked(self, bot):
        assert all(rule.right >= 2 for rule in bot.rules)
        assert "joke" not in {rule.intent for rule in bot.rules}

    def test_the_surest_rule_is_asked_first(self, bot):
        precisions = [rule.precision for rule in bot.rules]
        assert precisions == sorted(precisions, reverse=True)

    def test_two_halves_that_stand_apart_become_one_rule(self):
        train = [
            ("取消订单里的退款", "cancel"),
            ("取消昨天退款", "cancel"),
            ("取消订单", "order"),
            ("取消会员", "order"),
            ("想要退款", "refund"),
            ("马上退款", "refund"),
        ]
        apart = regex_bot.induce(train, precision=0.6, support=2)
        assert apart.intent_of("取消这个退款吧") == "cancel"

    def test_an_unsure_keyword_makes_no_rule(self):
        split = [("发票一", "a"), ("发票二", "b"), ("发票三", "a"), ("发票四", "b")]
        assert regex_bot.induce(split, precision=0.5, support=2).rules == ()


class TestShares:
    def test_tell_wrong_from_handed_over(self, bot):
        asked = [("退款", "refund"), ("退款", "shipping"), ("招人吗", "joke"), ("没有", "joke")]
        assert regex_bot.shares(bot, asked) == Shares(0.25, 0.25, 0.5)


class TestChoose:
    def test_takes_the_most_right_answers_that_do_not_hand_over_too_much(self):
        dev = [
            ("退款", "refund"),
            ("发货", "shipping"),
            ("my parcel", "shipping"),
            ("哈哈", "joke"),
        ]
        bot, tried = regex_bot.choose(TRAIN, dev)
        assert regex_bot.shares(bot, dev) == Shares(0.75, 0.0, 0.25)
        assert len(tried) == len(regex_bot.PRECISIONS) * len(regex_bot.SUPPORTS)
