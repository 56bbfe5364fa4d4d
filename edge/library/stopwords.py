"""Words that say nothing about what a question looks for, without accents.

Besides the usual small words: the ways in which pupils open a question.
"""

from __future__ import annotations

_ES = """
a al algo alguien alguna algunas alguno algunos alla alli ante antes aqui asi aun aunque cada casi como con
contra cual cuales cuando cuanta cuantas cuanto cuantos de del desde donde dos e el ella ellas ello ellos en entonces
entre era eran eres es esa esas ese eso esos esta estaba estaban estamos estan estar estas este esto estos estoy fue
fueron ha habia hace hacen hacer haces hacemos hago han hasta hay he hay la las le les lo los mas me mi mis mientras muy
nada ni no nos nosotros o otra otras otro otros para pero poco por porque pues puede pueden puedo puedes podemos que quien
quienes se sea sean ser si sido siempre sin sino sobre solo son soy su sus tal tambien tampoco tan tanto te tener tengo
tenemos tiene tienen tienes ti todo todos toda todas tu tus u un una unas uno unos usted ustedes va van vamos voy y ya yo
dime diga digame explica explicame explicar explicas cuentame cuenta dame di quiero quisiera saber sabes se
ayudame ayuda profe profesor profesora maestra maestro favor porfa porfavor hola gracias pregunta duda oye
significa significan quiere quieren decir llama llaman llamo sirve sirven ocurre pasa pasan sucede existe existen debe
deben debo debemos hacerlo cosa cosas manera forma formas ejemplo ejemplos da dan dar necesito necesita
"""
_PT = """
a ao aos aquela aquelas aquele aqueles aquilo as ate cada com como da das de dela delas dele deles depois do dos e ela
elas ele eles em entre era eram essa essas esse esses esta estao estar estas estava este estes estou eu faz fazem fazer
foi foram ha isso isto ja la lhe lhes mais mas me mesmo meu meus minha minhas muito na nao nas nem no nos nossa nosso o
os ou para pela pelas pelo pelos pode podem posso por porque pra pro qual quais quando quanta quantas quanto quantos que
quem sao se sem ser seu seus so sobre sou sua suas tambem te tem tenho temos ter teu tu tua um uma umas uns vai vao voce
voces vou onde
diga explica explique explicar conte conta quero queria saber sabe ajuda ajude profe professor professora favor oi ola
obrigado pergunta duvida significa significam quer dizer chama chamam serve servem acontece existe existem deve devem
coisa coisas forma maneira exemplo exemplos da dao dar preciso precisa
"""
_EN = """
a about an and are as at be but by can could did do does for from had has have how i in is it its me my of on or our so
than that the their them then there these they this to us was we were what when where which who why will with you your
tell explain please hello know want mean means called happen happens thing things example examples
"""

STOPWORDS = {"es": frozenset(_ES.split()), "pt": frozenset(_PT.split()), "en": frozenset(_EN.split())}
