"""The fault test: a whole mall of real processes is killed piece by piece while people redeem, then checked."""
