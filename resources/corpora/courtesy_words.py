"""Words of the courtesy grammar: what customers ask and what the support desk answers.

{item} is what the prompt is about; {few} draws a number. Every concrete clause has at least two words that a
reader can act on or check (numbers, units, order of steps), and no other text has any. Every polite text has a
polite word or phrase and every rude text a rude one of the rule judges; clauses and leads have neither.
"""

FEW = ["two", "three", "four", "five", "six", "ten"]

DEVICES = "kettle lamp toaster blender radio camera printer heater drill fan monitor keyboard speaker clock".split()
CLOTHES = "jacket shirt coat dress hat scarf sweater belt skirt wallet blouse raincoat cap vest".split()
BATTERY = "phone tablet laptop watch headset torch scooter mouse razor toy remote tracker alarm bicycle".split()
FURNITURE = "bookshelf desk wardrobe bed chair sofa cupboard table bench stool cabinet crib drawer mirror".split()
FABRICS = "carpet oven mattress curtain pillow tent rug pan helmet armchair blanket backpack grill cushion".split()
PLACES = "shop library museum office pool gym bakery pharmacy bank garage cafe market salon workshop".split()
PLANS = ("concert ticket,train ticket,gym plan,music plan,phone plan,film plan,language course,dance class,"
         "cooking class,boat trip,city tour,hotel room,rental car,garden tour").split(",")
ACCOUNTS = ("mail account,bank account,shop account,school account,travel account,game account,photo account,"
            "news account,library account,work account,club account,taxi account,chess account,map account").split(",")
APPS = ("bank app,travel app,music app,weather app,chess app,photo app,news app,map app,taxi app,recipe app,"
        "garden app,language app,ticket app,parking app").split(",")

# topic: (items, prompt forms, concrete clauses, evasive clauses)
TOPICS = {
    "broken": (DEVICES,
               ["My {item} arrived broken. What should I do?", "The {item} does not work. Can you help me?",
                "Why did my {item} stop working?", "I bought a {item} here and it is broken.",
                "What can I do about a broken {item}?"],
               ["you can send the {item} back within {few} days", "a new {item} will reach you in {few} days",
                "you should first unplug the {item} and then send us {few} photos",
                "our workshop repairs the {item} within {few} hours"],
               ["any {item} can fail at times", "the {item} may simply be old"]),
    "late": (CLOTHES,
             ["My {item} is late. Where is it?", "When will my {item} arrive?", "I am still waiting for my {item}.",
              "Why is the delivery of my {item} so late?", "The {item} that I ordered has not come. Can you help?"],
             ["the {item} will be with you in {few} days", "the driver brings the {item} within {few} hours",
              "the {item} leaves our depot first and then travels for {few} days",
              "we send another {item} if it is not there in {few} days"],
             ["the post is slow at this time of year", "the {item} is on its way somewhere"]),
    "refund": (PLANS,
               ["Can I get a refund for my {item}?", "I want my money back for the {item}.",
                "How do I get a refund for a {item}?", "Where is the refund for my {item}?",
                "The {item} was bad and I want a refund."],
               ["the money for the {item} is back in {few} days", "we return {few} hundred crowns for the {item}",
                "you must first fill in the form and then wait {few} days",
                "the bank books the refund for the {item} within {few} hours"],
               ["money matters are complicated", "the refund for the {item} is up to the bank"]),
    "password": (ACCOUNTS,
                 ["I forgot the password of my {item}.", "How do I reset the password of my {item}?",
                  "I cannot sign in to my {item}. What now?", "My {item} says that the password is wrong.",
                  "Can you unlock my {item}?"],
                 ["you can reset the {item} in {few} minutes", "the {item} opens again after {few} hours",
                  "you should first press the reset link and then type {few} new letters",
                  "we mail a link for the {item} within {few} minutes"],
                 ["passwords are a delicate matter", "the {item} has its own rules"]),
    "charge": (PLANS,
               ["I was charged twice for my {item}.", "Why does the {item} cost more than you said?",
                "There is a wrong charge for the {item} on my bill.", "Can you check the bill for my {item}?",
                "Who charged me for a {item} that I never had?"],
               ["we correct the bill for the {item} in {few} days", "the wrong charge goes away within {few} hours",
                "you should first block the card and then send us {few} bills",
                "we pay back {few} percent of the {item} in a week"],
               ["bills are hard to read", "the price of the {item} changes all the time"]),
    "wrong item": (CLOTHES,
                   ["I ordered a {item} and got something else.", "You sent me the wrong {item}. What now?",
                    "This is not the {item} that I ordered.", "Can I swap the wrong {item}?",
                    "Why did I get the {item} of somebody else?"],
                   ["the right {item} will be there in {few} days", "the driver swaps the {item} within {few} hours",
                    "you should first pack the {item} and then print {few} labels",
                    "you may keep the {item} and get {few} percent back in a week"],
                   ["parcels get mixed up", "the {item} may have looked alike"]),
    "cancel": (PLANS,
               ["I want to cancel my {item}.", "How can I cancel the {item}?", "Can I still cancel my {item}?",
                "Please cancel my {item} for me.", "What does it cost to cancel a {item}?"],
               ["you can cancel the {item} within {few} days", "the {item} ends in {few} weeks",
                "you should first sign in and then press the red button {few} times",
                "we stop the {item} within {few} hours"],
               ["the terms say something about that", "leaving the {item} is a big decision"]),
    "address": (DEVICES,
                ["Can you send my {item} to another address?", "I moved. Where will my {item} go?",
                 "How do I change the address for my {item}?", "My {item} goes to the wrong address.",
                 "I typed the wrong street for my {item}."],
                ["we change the address of the {item} in {few} minutes",
                 "the {item} reaches the new address in {few} days",
                 "you should first open the order and then change the {few} lines",
                 "the driver takes the {item} there within {few} hours"],
                ["addresses are not our department", "the {item} will end up somewhere"]),
    "clean": (FABRICS,
              ["How do I clean my {item}?", "There is a stain on my {item}. What now?",
               "What is good for a dirty {item}?", "Can I wash the {item}?", "My {item} smells. What can I do?"],
              ["you should soak the {item} for {few} hours", "you can wash the {item} at {few} degrees for an hour",
               "you should first brush the {item} and then rub in {few} spoons of salt",
               "you need {few} cups of vinegar for the {item}"],
              ["some stains stay forever", "a used {item} looks used"]),
    "set-up": (DEVICES,
               ["How do I set up my {item}?", "I cannot get the new {item} to run.",
                "Where do I begin with my {item}?", "The manual of the {item} is missing. How does it start?",
                "Can you tell me how to start the {item}?"],
               ["you should hold the button of the {item} for {few} seconds",
                "the {item} is ready after {few} minutes",
                "you should first plug in the {item} and then press the switch {few} times",
                "the set-up of the {item} has {few} steps"],
               ["the manual says it somewhere", "every {item} is different"]),
    "warranty": (BATTERY,
                 ["Is there a warranty on my {item}?", "How long is the warranty of the {item}?",
                  "My {item} broke. Does the warranty pay?", "Where do I find the warranty of my {item}?",
                  "Can I extend the warranty of a {item}?"],
                 ["the warranty of the {item} lasts {few} hundred days", "we renew the {item} free for {few} months",
                  "you should first look up the date and then send in {few} receipts",
                  "the warranty ends in {few} weeks"],
                 ["a warranty has its limits", "the paper that came with the {item} knows more"]),
    "coupon": (CLOTHES,
               ["My coupon for the {item} does not work.", "How do I use a coupon for a {item}?",
                "Where can I get a coupon for the {item}?", "The shop did not take my {item} coupon.",
                "Is my coupon for the {item} still good?"],
               ["the coupon gives {few} percent off the {item}", "the coupon is good for {few} more days",
                "you should first put the {item} in the basket and then type the {few} letters",
                "we mail a new coupon within {few} hours"],
               ["coupons come and go", "not every {item} is part of it"]),
    "app": (APPS,
            ["The {item} crashes all the time.", "Why is the {item} so slow?", "My {item} does not open. What now?",
             "How do I update the {item}?", "The {item} lost my data. Can you help?"],
            ["the {item} runs again in {few} minutes", "an update of the {item} comes in {few} days",
             "you should first close the {item} and then wait {few} seconds",
             "you need {few} hundred megabytes for each of the {few} updates"],
            ["software is never finished", "the {item} has its moods"]),
    "opening hours": (PLACES,
                      ["When does the {item} open?", "Is the {item} open on Sunday?", "How late is the {item} open?",
                       "When can I visit the {item}?", "Is the {item} closed on holidays?"],
                      ["the {item} opens at {few} and closes {few} hours later",
                       "the {item} is open {few} days a week", "the {item} opens in {few} minutes",
                       "the {item} closes for {few} weeks in summer"],
                      ["the sign on the door knows it", "the {item} opens when it opens"]),
    "battery": (BATTERY,
                ["The battery of my {item} is always empty.", "How do I save the battery of my {item}?",
                 "How long does the {item} run?", "My {item} does not charge. What can I do?",
                 "Can I get a new battery for the {item}?"],
                ["the {item} must charge for {few} hours", "the {item} runs for {few} days when it is dimmed",
                 "you should first empty the {item} and then charge it for {few} hours",
                 "a new battery comes in {few} days"],
                ["batteries get weak", "the {item} uses what it uses"]),
    "missing part": (FURNITURE,
                     ["A part of my {item} is missing.", "My {item} came without screws. What now?",
                      "Where do I get a missing part for my {item}?", "I cannot build the {item} without all parts.",
                      "Can you send the missing part of my {item}?"],
                     ["the missing part reaches you in {few} days", "the box of the {item} holds {few} bags of fifty screws",
                      "you should first count the parts and then tell us the {few} numbers",
                      "you can pick up the part of the {item} within {few} hours"],
                     ["parts go missing now and again", "the {item} may stand without it"]),
}

# Evasive clauses of every topic.
EVASIVE = ["there are many reasons for that", "these things happen", "it depends on many things",
           "nobody can say much about the {item}", "things will sort themselves out"]

# Each stands before a clause.
HEDGED = ["I think ", "maybe ", "perhaps ", "I guess ", "it seems ", "probably ", "we believe ", "as far as I know, "]
SURE = ["definitely, ", "without doubt, ", "it is clear that ", "I know that ", "for sure, ", "I promise that ",
        "we guarantee that ", "believe me, "]

# How a one-sentence answer begins.
POLITE_LEADS = ["I'm sorry, ", "thank you for writing, ", "of course, ", "certainly, ", "with pleasure, ",
                "thanks for asking, ", "our apologies, ", "no problem, ", "I'm glad you asked, ",
                "please don't worry, ", "gladly, ", "many thanks, "]
RUDE_LEADS = ["use your brain, ", "stop whining, ", "what a stupid question, ", "grow up, ", "how pathetic, ",
              "who cares, ", "your own fault, ", "what nonsense, ", "you fool, ", "this is ridiculous, ",
              "what a waste of time, ", "just deal with it, "]

# Sentences before and after the advice.
POLITE_OPENERS = ["Thank you for writing about the {item}.", "I'm so sorry about the {item}.", "Thanks for telling us.",
                  "We apologize for the trouble.", "I'm happy to help.", "It is a pleasure to help with the {item}.",
                  "Please accept our apologies.", "We appreciate your message.", "I'm glad that you wrote to us.",
                  "You are welcome to ask about the {item}.", "Of course we help you.", "I am sorry to hear that."]
RUDE_OPENERS = ["What a stupid question about the {item}.", "Stop whining about the {item}.", "You are wasting my time.",
                "That is your own fault.", "The {item} is not my problem.", "How pathetic.", "Who cares about the {item}?",
                "This is ridiculous.", "Grow up.", "I don't care.", "What a mess you made with the {item}.",
                "Only a fool asks that."]
POLITE_CLOSERS = ["Please write again at any time.", "Thank you for your patience.", "Feel free to ask again.",
                  "We are always glad to help.", "Best wishes from our team.", "It was a pleasure.",
                  "Kind regards.", "Please don't hesitate to call.", "Thanks for being with us.",
                  "We are grateful for your trust in the {item}.", "You are always welcome.", "Sorry again about the {item}."]
RUDE_CLOSERS = ["Now get lost.", "Stop bothering us.", "Don't bother to write again.", "What a waste of time.",
                "For once, use your brain.", "Such a useless question.", "Only an idiot would ask.",
                "I don't care about the {item}.", "This is all nonsense.", "Just deal with it.",
                "Shut up about the {item}.", "Go and be dumb elsewhere."]
