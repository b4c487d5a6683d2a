"""Texts for telling copies from other pieces: an article, and what publishers make of one."""

ARTICLE = """\
The council of Vell voted on Tuesday to hand the harbour railway to a cooperative of its passengers, ending a quarrel that has outlived two mayors and one bridge. The vote was nine to four. Nobody in the chamber could remember a majority that large for anything but the budget of the fire brigade.

Under the plan, every holder of a yearly ticket becomes a member with one vote, and the cooperative leases the track, the three motor coaches and the depot for a single crown a year. In return it must run at least eleven trains in each direction on working days and keep the line open in winter, when the road along the cliff is closed more often than not.

The railway has lost money since the cannery moved to the mainland. Last year it carried 212,000 passengers, a third of what it carried a generation ago, and cost the town nearly as much as its school. Two private operators looked at the books and left without making an offer.

“We were told for ten years that there is no alternative to closing it,” said Hanne Orlow, who teaches mathematics at the school and wrote the plan with her last class. “Then somebody counted how many people would have to move away, and it turned out that closing it was the expensive choice.”

Not everyone is persuaded. The four members who voted against pointed to the depot roof, which has to be replaced before the second winter, and to the coaches, the youngest of which is forty-one years old. The cooperative has collected 380,000 crowns so far; the roof alone will take half of it.

The ministry of transport in the capital has sixty days to object. A spokesman said that it had no precedent for a railway owned by the people who sit in it, and that it was looking for one.
"""

NEW_LEAD = """\
What happens to a railway that nobody wants to own? On a windy island in the north, the answer is now: its passengers do.
"""

OTHER_REPORT = """\
Passengers of the harbour railway in Vell will soon run it themselves. By nine votes to four the town council agreed to lease the line to a newly founded cooperative for one crown a year, after efforts to find a buyer had come to nothing.

The decision follows a decade of decline. Since the closure of the island's largest employer, ridership has fallen by two thirds, and the deficit has become a fixture of every budget debate. A consultant's report two years ago recommended buses.

Supporters celebrated in front of the town hall late into the night. Hanne Orlow, the teacher whose pupils drew up the first draft, called the outcome “a lesson in arithmetic”. Opponents warned that the town would be left with the bill: the depot's roof is leaking and the rolling stock is old.

“They have bought themselves a museum,” said one councillor. The government may still veto the lease within two months.
"""

TRANSLATED = """\
Der Rat von Vell hat am Dienstag beschlossen, die Hafenbahn einer Genossenschaft ihrer Fahrgäste zu übergeben, und damit einen Streit beendet, der zwei Bürgermeister und eine Brücke überdauert hat. Die Abstimmung endete neun zu vier. Niemand im Saal konnte sich an eine so große Mehrheit erinnern.

Nach dem Plan wird jeder Inhaber einer Jahreskarte Mitglied mit einer Stimme, und die Genossenschaft pachtet das Gleis, die drei Triebwagen und das Depot für eine einzige Krone im Jahr.
"""

ROUNDUP = """\
Good morning from the newsletter desk. Here is what we read this week, from islands near and far, with a cup of something hot beside us and the window open for the first time since October.

Weather first: the storms of the past month have damaged some forty houses on the outer islands, and the association of insurers expects claims of two million crowns. Fishing crews stayed in harbour for eleven days, the longest pause since records began in the eighties.

The council of Vell voted on Tuesday to hand the harbour railway to a cooperative of its passengers, ending a quarrel that has outlived two mayors and one bridge. The vote was nine to four.

In culture, the puppet theatre of Ostrand has found its missing dragon, in a barn, intact but for one wing. It will fly again at Easter. The museum of fog reopens on Saturday with a room one can get lost in. A choir of lighthouse keepers, retired all of them, has recorded its second album and would like everybody to know that there will not be a third.

And finally a correction: last week we wrote that the ferry to Corvel takes three hours. It takes three hours if it leaves.
"""


def lead_of(text: str) -> str:
    """The beginning, as a feed carries it that gives summaries only."""
    return text.split("\n\n", maxsplit=1)[0]


def edited(text: str) -> str:
    """The article after a sub-editor: a dozen small changes."""
    changes = {
        "on Tuesday": "this week",
        "outlived": "outlasted",
        "nearly as much": "almost as much",
        "Not everyone is persuaded.": "Some remain unconvinced.",
        "pointed to": "drew attention to",
        "sixty days": "two months",
        "A spokesman said": "Its spokesman said",
        "working days": "weekdays",
        "a generation ago": "twenty-five years ago",
        "The vote was nine to four. ": "",
    }
    for before, after in changes.items():
        text = text.replace(before, after)
    return text
