{{/* The labels of all objects of the chart. */}}
{{- define "penstock.labels" -}}
{{ include "penstock.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: penstock
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* The labels that choose the operator's pods. */}}
{{- define "penstock.selector" -}}
app.kubernetes.io/name: penstock-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "penstock.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{/* JSON list of the namespaces to watch: those that are given, and that of the default gateway. */}}
{{- define "penstock.watched" -}}
{{- $given := .Values.watchNamespaces -}}
{{- if and $given .Values.gateway.enabled -}}
{{- $given = append $given .Release.Namespace | uniq -}}
{{- end -}}
{{ toJson $given }}
{{- end }}

{{/* Whether there is a webhook: registering it takes rights beyond any namespace. */}}
{{- define "penstock.webhook" -}}
{{- if and .Values.webhook.enabled (not .Values.watchNamespaces) }}true{{ end }}
{{- end }}

{{/* What all pods of the chart have in common, from `spec` on; takes the root and the container's other fields. */}}
{{- define "penstock.pod" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 0 }}
{{- end }}
securityContext: {{ toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 0 }}
{{- end }}
{{- end }}

{{/* The port of the default gateway that `helm test` and the notes use. */}}
{{- define "penstock.gatewayPort" -}}
{{- (first (.Values.gateway.spec.listeners | default (list (dict "port" 8080)))).port -}}
{{- end }}

{{/* The annotations of the objects that bring the definitions up to date. */}}
{{- define "penstock.crdsHook" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}

{{/* The annotations of the objects that delete what is left after an uninstall. */}}
{{- define "penstock.cleanupHook" -}}
helm.sh/hook: post-delete
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}

{{/* The annotations of what `helm test` makes and runs. */}}
{{- define "penstock.testHook" -}}
helm.sh/hook: test
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
