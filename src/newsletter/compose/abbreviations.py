"""Words whose full stop does not end a sentence, in the languages partners write in."""

from __future__ import annotations

TITLES = frozenset(
    # English
    "Mr Mrs Ms Mx Messrs Dr Drs Prof Rev Revd Fr Msgr Hon Amb Pres Gov Lt Col Gen Maj Brig Capt Cmdr "
    "Cdr Cpl Sgt Adm Sen Sens "
    "Rep Reps Supt Det Insp Atty Asst Dept St Ste Mt Ft vs v viz cf "
    # German, Dutch, Scandinavian
    "Hr Fr Frl Dipl Ing Hrsg bzw bspw evtl ggf inkl sog vgl dhr mevr mw bijv resp "
    # Spanish, Portuguese, Italian, French
    "Sr Sra Srta Sres Dra Ud Uds Vd Vds Gral Lic Arq Exmo Exma Sig Sigg Dott Avv Mons MM Mlle Cie "
    # Turkish, Polish, Czech, Russian
    "Doç Yrd Av tzw tzn np mgr inż ks tzv ул им тов гр акад проф см напр "
    # Greek, Arabic
    "κ κα δρ".split()
)
"""A name or a further word always follows."""

BEFORE_NUMBERS = frozenset(
    "No Nos no nos Nr núm Núm n.º Fig Figs fig figs Vol vol Art Arts art Sec Sect sec Ch Chap pp pág págs "
    "Bd Abs Ziff nº Jan Feb Febr Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Okt Dez Ene Abr Ago Dic "
    "ca approx circa est".split()
)
"""Their stop ends a sentence unless a figure follows."""

OFTEN_LAST = frozenset(
    "Inc Corp Ltd Co Bros Jr Esq etc al approx est usw uvm Mio Mrd Tsd bzgl zzgl Std Min tys mln mld gen płk "
    "т.д т.п т.е г гг тыс млн млрд руб vb ibid ed eds Ave Blvd Rd ft oz lb lbs avg".split()
)
"""Their stop may end a sentence: the word that follows decides."""

STARTERS = frozenset(
    "A About After All Also Although Among An And Another Any As At Because Before Both But By "
    "Critics Despite During Each "
    "Earlier Even Experts Few For Former From Further He Her Here Hers His How However I If In "
    "Instead It Its Just Last Later Many "
    "Meanwhile More Most Much My Neither Never Next No Nor Not Now Of Officials On Once One Only Or "
    "Other Others Our Over Perhaps "
    "Police Prosecutors Recent Reporters Several She Since So Some Still Such Than That The Their "
    "Then There These They This Those "
    "Though Through Thus To Today Two Under Unlike Until We What When Where Whether Which While Who "
    "Why With Within Without "
    "Yesterday Yet You Your "
    "El La Los Las Un Una En De Por Para Con Pero Según Al Se Su Le Les Une Des Du Dans Il Elle Ils "
    "Mais Selon Pour Avec "
    "Der Die Das Ein Eine Im Am Er Sie Es Wir Und Aber Bei Mit Nach Seit Zum Für O Os As Um Uma Em Na "
    "No Não Mas Il Lo Gli "
    "В На И Но Он Она Они По Это С За К Как".split()
)
"""Words that begin a sentence so often that an abbreviation before them most likely ended one."""

ORDINAL_LANGUAGES = frozenset("de da nb nn no is fi et cs sk sl hr bs sr hu lv tr".split())
"""Languages that write "3. März": a small number with a stop is an ordinal there."""
