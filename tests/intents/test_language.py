"""In which language a customer is answered: Chinese, English, or neither."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intents import starter
from intents.language import detect

CHINESE = """
我的包裹到哪了
请问什么时候发货
請問這個商品甚麼時候到貨
運費多少錢？
退货
快递
在吗
我的order什么时候ship
tracking number查不到
iPhone 15 Pro Max case 有吗
想change一下address
credit card付不了,一直说payment failed
我买的Apple Watch Series 9 GPS 45mm什么时候到
アネッサ防晒有货吗
资生堂の洗面奶是正品吗
帮我transfer到人工客服，thx
谢谢😊
２０２３年的订单还能退吗
从双井地铁站A口上车，从灯市口A口下车
https://item.example.com/20185936243.html这个有货吗
""".strip().splitlines()

ENGLISH = """
where is my order
wheres my oder
thx
pls refund asap
ok
hi
hey there
u there??
wen will it arive
refnd plz
can i get a discount code
trackin no. not workin
ty
tnx
k
yo
help
lol this is a scam
how to use 优惠券
I bought 小米 phone, when will it arrive?
I ordered a café table and it's broken
My name is José and I never got my parcel
naïve question: is it genuine?
Is the jalapeño chili sauce in stock?
do u ship 2 canada
cant login
COD?
WHERE IS MY PARCEL!!!
return
cancel order CS-20261122-0001
is this compatible with iphone 15 pro max
size m or l
vat invoice pls
does it come in blue
an die-cast model, is it in stock?
I want to return the shoes
no
no no no
me too
total?
so?
i am in paris, can you deliver to hotel du nord
do you ship to los angeles or san francisco
is the le creuset pan on sale
the el nino jacket
asdfgh
""".strip().splitlines()

NEITHER = {
    "Japanese": """
注文した商品はいつ届きますか
返品したいです
キャンセル
注文キャンセル
こんにちは
荷物が届かないのですが
領収書をください
クーポンが使えない
送料はいくらですか
担当者と話したい
""",
    "Korean": """
주문한 상품이 언제 도착하나요
환불해 주세요
안녕하세요
배송 조회
취소하고 싶어요
쿠폰이 안 돼요
""",
    "Russian": """
Где мой заказ?
Хочу вернуть деньги
Здравствуйте
Когда доставят посылку
спасибо
""",
    "Ukrainian": """
Де моє замовлення?
Я хочу повернути товар
""",
    "Arabic": """
أين طلبي؟
أريد استرداد المال
مرحبا
شكرا
""",
    "Hebrew": """
איפה ההזמנה שלי
""",
    "Thai": """
ของจะมาถึงเมื่อไหร่
ขอคืนเงิน
สวัสดีครับ
""",
    "Hindi": """
मेरा ऑर्डर कहाँ है
धन्यवाद
""",
    "Greek": """
Πού είναι η παραγγελία μου
""",
    "French": """
Où est ma commande ?
Je voudrais un remboursement
bonjour
merci beaucoup
le colis n'est pas arrivé
comment retourner un article
je veux annuler ma commande
ou est mon colis svp
la taille est trop petite
c'est quand la livraison
parler à un humain
mon code promo ne marche pas
quel est le prix de la livraison
""",
    "Spanish": """
¿Dónde está mi pedido?
quiero devolver el producto
hola
gracias
cuando llega mi paquete
no me llega el pedido
como puedo cancelar mi orden
hola, necesito ayuda
quiero hablar con una persona
no puedo pagar con mi tarjeta
cuánto cuesta el envío
me cobraron dos veces
el artículo llegó roto
""",
    "Portuguese": """
Onde está o meu pedido?
Quero devolver o produto
oi
obrigado
cadê minha encomenda
não chegou ainda
quero falar com um atendente
como faço para trocar o endereço
quando vai chegar
o cupom não funciona
""",
    "Italian": """
Dov'è il mio ordine?
Vorrei un rimborso
ciao
grazie mille
quando arriva il pacco
voglio annullare l'ordine
come faccio a restituire un articolo
il codice sconto non funziona
buongiorno
""",
    "German": """
Wo ist meine Bestellung?
Ich möchte das Paket zurückschicken
hallo
danke
wann kommt mein paket
ich will mein geld zurück
kann ich die adresse ändern
wie lange dauert der versand
guten tag
rechnung bitte
der artikel ist kaputt
""",
    "Dutch": """
Waar is mijn bestelling?
ik wil mijn geld terug
bedankt
wanneer komt mijn pakket
kan ik het adres wijzigen
""",
    "Turkish": """
Siparişim nerede?
kargom ne zaman gelecek
merhaba
iade etmek istiyorum
teşekkürler
siparisim nerede
""",
    "Indonesian": """
pesanan saya di mana
kapan barang sampai
terima kasih
saya mau batal pesan
halo kak
barang belum sampai
""",
    "Vietnamese": """
Đơn hàng của tôi ở đâu?
tôi muốn hoàn tiền
cảm ơn
khi nào giao hàng
don hang cua toi o dau
""",
    "Polish": """
Gdzie jest moje zamówienie?
chcę zwrócić produkt
dziękuję
kiedy dotrze paczka
""",
    "Swedish": """
Var är min beställning?
jag vill returnera varan
tack
när kommer paketet
""",
    "Romanian": """
Unde este comanda mea?
vreau banii înapoi
mulțumesc
""",
    "Tagalog": """
nasaan na ang order ko
salamat po
magkano po ito
kailan darating
""",
    "Czech": """
Kde je moje objednávka?
chci vrátit zboží
""",
    "Hungarian": """
Hol van a rendelésem?
köszönöm szépen
""",
    "Finnish": """
Missä tilaukseni on?
haluan palauttaa tuotteen
""",
    "Pinyin": """
ni hao
wo de kuaidi dao na le
zenme tuihuo
""",
    "nothing to read": """
😀
👍👍
❓
？？
...
。。。
❤️
🙏🏻
~
""",
}


@pytest.mark.parametrize("text", CHINESE)
def test_chinese_is_chinese(text: str):
    assert detect(text) == "zh"


@pytest.mark.parametrize("text", ENGLISH)
def test_english_is_english_however_short_or_misspelt(text: str):
    assert detect(text) == "en"


@pytest.mark.parametrize(
    ("language", "text"),
    [(language, text) for language, texts in NEITHER.items() for text in texts.split("\n") if text],
)
def test_other_languages_and_pictures_are_neither(language: str, text: str):
    assert detect(text) == "", language


@pytest.mark.parametrize("text", ["12345678", "CS-20261122-0001", "8520 6674", "3q", "****"])
def test_what_has_no_language_is_answered_in_the_conversations_own(text: str):
    assert detect(text) == ""
    assert detect(text, "zh") == "zh"
    assert detect(text, default="en") == "en"


def test_a_picture_alone_has_no_default():
    assert detect("😀", "zh") == ""


def test_the_starter_utterances_are_in_their_language():
    rows = [row for row in starter.rows("utterances") if row["intent"] not in ("other", "thanks")]

    wrong = [row["text"] for row in rows if detect(row["text"], row["language"]) != row["language"]]

    assert len(wrong) <= 3  # greetings of emoji only


def test_english_questions_are_hardly_ever_taken_for_another_language(reference_data):
    path = reference_data("intent_en_banking77") / "train.csv"
    with path.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]

    wrong = [text for text in texts if detect(text) != "en"]

    assert len(wrong) / len(texts) < 0.005


def test_real_chinese_messages_are_chinese(reference_data):
    path = reference_data("messages_zh") / "messages.txt"
    texts = path.read_text(encoding="utf-8").splitlines()

    wrong = [text for text in texts if detect(text, "zh") != "zh"]

    assert len(wrong) <= 20  # of 20,000


@given(st.text(max_size=80))
def test_any_text_has_an_answer(text: str):
    assert detect(text) in ("zh", "en", "")
