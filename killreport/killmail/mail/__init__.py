"""A killmail as it comes: read out of files and bodies of any age, checked, with its hash; nothing is stored here."""
