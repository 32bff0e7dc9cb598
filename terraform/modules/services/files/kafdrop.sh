set -eu
umask 077
{
  printf 'security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n'
  printf 'sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="%s" password="%s";\n' "$KAFKA_USERNAME" "$KAFKA_PASSWORD"
} >"$KAFKA_PROPERTIES_FILE"
if [ -n "${KAFKA_CA_PEM:-}" ]; then
  printf '%s\n' "$KAFKA_CA_PEM" >/tmp/ca.pem
  printf 'ssl.truststore.type=PEM\nssl.truststore.location=/tmp/ca.pem\n' >>"$KAFKA_PROPERTIES_FILE"
fi
unset KAFKA_USERNAME KAFKA_PASSWORD KAFKA_CA_PEM
exec /kafdrop.sh
