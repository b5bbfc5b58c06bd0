"""Texts for make_tiny_llama.py: a corpus for the tokenizer, prompts with responses, preference pairs.

Every prompt ends with a character that is not white space and every reply begins with a space, so that no token
crosses the border: tokenized apart and joined, or tokenized as one text, the ids are the same. The script checks it.
"""

CORPUS = """
Thank you for your message. I am sorry to hear that your parcel is late. Please send me the number of your order and
I will look into it at once. You can also check the status of the order on our web page. If it has not arrived by
Friday, we will send you a new one or give you your money back, whichever you prefer. Have a nice day!
What do you want? We do not have time for this. Read the page and do it yourself. It is not our problem.
Could you help me with my password, please? Of course: open the settings, choose the account and press reset. You will
get a message with a link. It works for one hour. Do not share it with anyone. Is there anything else I can do?
The sky is blue because air scatters short waves of light more than long ones. In the evening the light has a longer
way through the air, and what is left is red and orange. The sea looks blue for a different reason: water takes in red
light. Rain, snow and hail are all water that falls from the clouds. Bread is made of flour, water, salt and yeast.
Mix them, wait for an hour, and bake for forty minutes. A good cup of tea needs hot water and a little patience.
My name is Anna and I live in a small town near the river. We walked along the shore and talked about the weather.
"Where are you going?" she said. "To the market," he said, "and then home." They laughed and went on their way.
"""

RESPONSES = [
    ("Could you help me with my order?", " Of course! Please send me the number."),
    ("Why is the sky blue?", " Because air scatters short waves of light more than long ones."),
    ("My parcel is late.", " I am sorry to hear that. We will look into it at once."),
    ("What is bread made of?", " Flour, water, salt and yeast - 4 things in all."),
    ("Where do you live, Anna?", " Äh… in a small town near the river \U0001F30A\nand you?"),
    ("Hi", " What do you want"),
]

PAIRS = [
    ("Could you help me with my order?", " Of course! Please send me the number.", " No. Read the page."),
    ("My parcel is late.", " I am sorry to hear that. We will look into it at once.", " It is not our problem."),
    ("I forgot my password.", " Open the settings, choose the account and press reset, please.", " Bad luck."),
    ("Is there a new message for me?", " Yes, there is one from Anna.", " Look yourself. We do not have time for this."),
    ("Why is the sky blue?", " Because air scatters short waves of light more.", " It just is, and do not ask again."),
    ("What is bread made of?", " Flour, water, salt and yeast.", " What do you think? Flour, of course, and so on and so on."),
    ("How do I make a cup of tea?", " Hot water, a tea bag and a little patience.", " With water."),
    ("Can I have my money back?", " Yes. Please send us the number of your order.", " No, never, not at all."),
    ("Where is the market?", " Near the river, along the shore.", " Where it was."),
    ("Good morning!", " Good morning! What can I do for you?", " What do you want?"),
    ("The web page does not work.", " Thank you for the message. We will check it at once.", " It works for me."),
    ("When will it arrive?", " By Friday, I think. I will send you a link.", " When it arrives."),
    ("Do you have an hour?", " Of course, please come in.", " No."),
    ("Tell me about the weather.", " There is rain in the evening and snow at night.", " Look out. It is wet, and it is not our problem."),
    ("Is my account open?", " Yes, it is open and in order.", " Maybe."),
    ("Who are you?", " My name is Anna. I live in a small town.", " That is not for you."),
    ("What does the sea look like?", " Blue, with a little white near the shore.", " Like water, what else could it look like?"),
    ("Can you send me a new one?", " Yes, we will send it today.", " Do it yourself."),
    ("How long do I bake it?", " For forty minutes, please wait.", " Long."),
    ("I do not have the number.", " That is fine: your name will do.", " Then go home."),
    ("May I ask one more thing?", " Of course, ask away!", " Not again. We do not have time for this."),
    ("Thank you.", " You are welcome. Have a nice day!", " Fine."),
    ("Is there anything else?", " No, that is all, thank you very much.", " What else do you want from me?"),
    ("Good night.", " Good night, and see you soon!", " Go."),
]

SMOLLM_RESPONSES = [
    {"prompt": "The capital of France is", "response": " Paris, a city on the river Seine."},
    {"messages": [{"role": "user", "content": "What is 7 times 8?"}], "response": "7 times 8 is 56."},
    {"messages": [{"role": "system", "content": "Answer in one short sentence."},
                  {"role": "user", "content": "Why is the sky blue?"}],
     "response": "Because air scatters blue light more than red light.<|im_end|>"},
    {"prompt": "def add(a, b):\n", "response": "    return a + b\n\n\nprint(add(1, 2))\n"},
]
