#!/usr/bin/env bash
# Makes, once, the certificates that encryption in transit needs: for EMR's nodes, and for brokers on EC2 an
# authority and a certificate each. Keys go into the work bucket (EMR reads them there only) and into Secrets
# Manager; Terraform never sees one. To renew: docs/operations.md.
set -euo pipefail
: "${WORK_BUCKET:?}" "${KEY_EMR_CERTIFICATE:?}"
DAYS=1825
OUT=$(mktemp -d)
trap 'rm -rf "$OUT"' EXIT
umask 077

# has_value ARN
has_value() { aws secretsmanager get-secret-value --secret-id "$1" --query ARN --output text >/dev/null 2>&1; }
put() { aws secretsmanager put-secret-value --secret-id "$1" --secret-string "file://$2" --query ARN --output text; }

# authority NAME: NAME.key and NAME.pem.
authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$DAYS" -subj "/CN=$1" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
    -keyout "$OUT/$1.key" -out "$OUT/$1.pem" 2>/dev/null
}

# signed AUTHORITY NAME DNS-NAME: NAME.key (PKCS 8) and NAME.pem.
signed() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" \
    -keyout "$OUT/$2.key" -out "$OUT/$2.csr" 2>/dev/null
  openssl x509 -req -in "$OUT/$2.csr" -CA "$OUT/$1.pem" -CAkey "$OUT/$1.key" -CAcreateserial -days "$DAYS" \
    -extfile <(printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth,clientAuth\nbasicConstraints=CA:FALSE\n' "$3") \
    -out "$OUT/$2.pem" 2>/dev/null
}

for_emr() {
  aws s3api head-object --bucket "$WORK_BUCKET" --key "$KEY_EMR_CERTIFICATE" >/dev/null 2>&1 && return
  authority emr-authority
  signed emr-authority node "*.ec2.internal,DNS:*.${AWS_REGION:?}.compute.internal"
  mkdir "$OUT/emr"
  cp "$OUT/node.key" "$OUT/emr/privateKey.pem"
  cp "$OUT/node.pem" "$OUT/emr/certificateChain.pem"
  cp "$OUT/emr-authority.pem" "$OUT/emr/trustedCertificates.pem"
  (cd "$OUT/emr" && zip -q ../emr.zip ./*.pem)
  aws s3 cp --only-show-errors "$OUT/emr.zip" "s3://$WORK_BUCKET/$KEY_EMR_CERTIFICATE"
}

for_brokers() {
  local missing=0 number name
  for name in SECRET_CA SECRET_CA_KEY SECRET_BROKER_1 SECRET_BROKER_2 SECRET_BROKER_3; do
    has_value "${!name}" || missing=1
  done
  ((missing)) || return 0
  authority ca
  for number in 1 2 3; do
    signed ca "broker-$number" "broker-$number.$KAFKA_DOMAIN"
    cat "$OUT/broker-$number.key" "$OUT/broker-$number.pem" >"$OUT/broker-$number.both"
    name=SECRET_BROKER_$number
    put "${!name}" "$OUT/broker-$number.both"
  done
  put "$SECRET_CA_KEY" "$OUT/ca.key"
  put "$SECRET_CA" "$OUT/ca.pem" # last: with it the brokers start
}

for_emr
if [[ -n ${KAFKA_DOMAIN:-} ]]; then
  : "${SECRET_CA:?}" "${SECRET_CA_KEY:?}"
  for_brokers
fi
