"""The budget of many processes and hosts, kept in Valkey or Redis; loaded only where it is asked for."""
