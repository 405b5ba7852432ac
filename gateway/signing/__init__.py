"""Signatures: keys, sealing, verifying, explaining; RSA and SM2 behind one `Signer`."""
