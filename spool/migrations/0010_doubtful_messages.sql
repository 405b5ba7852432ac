-- Which messages the breaker has counted since the authority last answered; each is counted once, unless the road itself failed.
ALTER TABLE turnstile ADD COLUMN failing TEXT NOT NULL DEFAULT '[]';
