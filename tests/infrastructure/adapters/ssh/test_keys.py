"""Key pairs of our own making."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import load_ssh_private_key, load_ssh_public_key

from infrastructure.adapters.ssh.keys import bare, fingerprint, new_key_pair


def test_a_key_pair_is_openssh_text_and_its_halves_belong_together() -> None:
    pair = new_key_pair("live-GL7K3M\nand more")
    private = load_ssh_private_key(pair.private.encode(), password=None)
    public = load_ssh_public_key(pair.public.encode())
    assert private.public_key() == public
    assert pair.public.startswith("ssh-ed25519 ")
    assert pair.public.endswith(" live-GL7K3M and more")


def test_no_two_pairs_are_alike_and_the_private_half_is_not_shown() -> None:
    first, other = new_key_pair("one"), new_key_pair("one")
    assert first.private != other.private
    assert "PRIVATE" not in repr(first)
    assert first.private.splitlines()[4] not in repr(first)


def test_a_fingerprint_is_what_ssh_keygen_says() -> None:
    public = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMWFzgc922YLEb3F/f83ubEDhUTzqf1/86sxSR8FR6Vp a host"
    assert fingerprint(public) == "SHA256:HDBjvf0QwLoyH/ryJngEfudNwkuDaGVDYjHYni+9lss"
    assert bare(f"{public}\n") == "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMWFzgc922YLEb3F/f83ubEDhUTzqf1/86sxSR8FR6Vp"


@pytest.mark.parametrize("text", ["", "ssh-ed25519", "ssh-ed25519 ***", "hello world", "-----BEGIN PRIVATE KEY-----"])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not the text of a public key"):
        bare(text)
