"""What a Kafka API does to messages: names, access, quotas, addresses. No sockets here."""
