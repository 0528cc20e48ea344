unused {nope
