"""The relay: associations take the coalition's campaign to their own members, under their own name.

offering    who is offered a campaign, what that would do, and the offer itself
weighing    whether their lists can answer what it asks of readers
answering   what an association does about it: look, adapt, choose a time, accept, decline, ask
making      the edition that comes of it, as a campaign of its own
correcting  corrections and recalls
keeping     what control does about it: reminders, last days, where editions stand
seating     who speaks for an association, and their links
linking     links that they ask for, by mail
showing     the newsletter as they would send it
closing     the close of an offer; its figures are frozen then
counting    what became of it with each association, for the close alone
figures     what associations tell of what they sent with tools of their own: until when, and where it is kept
telling     such figures by command and in files
posted      such figures from the tools themselves, signed
passing     an answer that a liaison passes on to the coalition, without who wrote it
peers       associations that answer from an engine of their own
sharing     what an association may learn of the others
copying     one copy for each person, whoever sends it
letters     the mails to those who speak for associations
"""
