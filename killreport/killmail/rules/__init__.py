"""What follows from a killmail by the rules of the game and of killboards: worth, class, labels, points."""
