"""How suppliers are spoken to: the protocol, adapters, signers and the simulator. HTTP only, no Django."""
