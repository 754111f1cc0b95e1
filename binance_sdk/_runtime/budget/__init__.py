"""What may be sent when: windows, the ledger they are charged in, the gate that closes over them."""
