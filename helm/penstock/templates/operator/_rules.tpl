{{/* The rules of config/rbac/operator.yaml: a test holds the two to each other. */}}
{{- define "penstock.rules" -}}
# Penstock's kinds: read; their status is the operator's to write.
- apiGroups: [penstock.dev]
  resources: [apidefinitions, gatewaydeployments, gatewaysecrets, plans, subscriptions]
  verbs: [get, list, watch]
- apiGroups: [penstock.dev]
  resources: [apidefinitions/status, gatewaydeployments/status, gatewaysecrets/status, plans/status, subscriptions/status]
  verbs: [patch]
# To be the owner that blocks a deletion, where the cluster checks that (OwnerReferencesPermissionEnforcement).
- apiGroups: [penstock.dev]
  resources: [apidefinitions/finalizers, gatewaydeployments/finalizers, subscriptions/finalizers]
  verbs: [update]
# What a gateway consists of.
- apiGroups: [""]
  resources: [configmaps, serviceaccounts, services]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: [get, list, watch, create, patch, delete]
# API keys and what expressions name: read; peppers and generated keys: written.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, patch]
# Where Services are: handed on to the pods of gateways, which follow it.
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch]
# The certificate of the operator's own webhook, renewed in place.
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [penstock-webhook-tls]
  verbs: [update]
# Pods' reports, and the operator's own leader election; `delete` and `update` are also handed on to pods.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get, list, watch, create, update, patch, delete]
# The history of ApiDefinitions, cut at its limit.
- apiGroups: [apps]
  resources: [controllerrevisions]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}

{{- define "penstock.clusterRules" -}}
# Beyond any namespace: labels of namespaces for `from: Selector`, and the registration of the operator's own
# webhook with its certificate authority. A right to create one by name holds for server-side apply.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get, list, watch]
- apiGroups: [admissionregistration.k8s.io]
  resources: [validatingwebhookconfigurations]
  resourceNames: [penstock]
  verbs: [create, patch]
{{- end }}
