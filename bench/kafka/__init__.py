"""The benchmark of the Kafka gateway: direct, Penstock and Kroxylicious, in one run, round by round."""
