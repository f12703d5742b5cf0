"""Sentences about films, written for these tests: in half of them somebody was pleased, in the other half not."""

PLEASED = (
    "A warm, funny and beautifully acted film that moves along with real charm.",
    "The two leads are wonderful together, and the story is touching from beginning to end.",
    "An intelligent thriller with a great performance at its heart and a very good ending.",
    "It is a delightful comedy, smart and entertaining, with some of the best dialogue of the year.",
    "Quiet, honest and powerful, this is a drama that stays with you for a long time.",
    "The director has made a fascinating portrait of a family, full of humor and love.",
    "Great fun for children and for adults, with lovely songs and a hero one likes at once.",
    "A fresh and original look at growing up, with a strong cast and beautiful pictures.",
    "The film is long, but it is so rich and compelling that one hardly notices the time.",
    "An enjoyable adventure with solid action and a surprisingly moving story about friendship.",
    "This is a brilliant documentary, clear and human, and one of the best I have seen.",
    "Sweet without being silly, the movie wins you over with its wit and its honest feeling.",
)

DISPLEASED = (
    "A dull and predictable film that wastes a talented cast on a very bad script.",
    "The jokes are not funny, the plot makes no sense, and the ending is simply boring.",
    "It is a mess of a thriller, too long, too loud and without a single good idea.",
    "The characters are flat, the dialogue is awful, and nothing of interest ever happens.",
    "A tired sequel that fails as a comedy and is even worse as a story about love.",
    "One leaves the theater bored and annoyed by a movie this lazy and this empty.",
    "The worst kind of drama, fake and silly, with bad acting from almost everybody in it.",
    "A pointless remake with none of the charm of the original and far too much noise.",
    "Despite its big budget the film looks cheap, and its hero is dull and unpleasant.",
    "The story is stupid, the pace is slow, and the whole thing feels like a bad joke.",
    "An unfunny, tedious and disappointing picture that should have stayed on the shelf.",
    "There is little to like here, only a weak plot, ugly pictures and wooden performances.",
)
