"""What every Deskwire service shares: contracts, the ticket, the event store and the runtime."""
