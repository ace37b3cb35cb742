"""What templates of every interface say amounts and times with."""
