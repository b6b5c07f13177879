"""The Kafka protocol: frames to messages and back, and what they are called. No I/O."""
