package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// leased is an engine as those of databases are: each read of creds makes a new password with a lease, which
// can be renewed up to the mount's greatest time. No database is needed for it.
func leased(ctx context.Context, config *logical.BackendConfig) (logical.Backend, error) {
	engine := &framework.Backend{BackendType: logical.TypeLogical}
	renew := framework.OperationFunc(func(_ context.Context, request *logical.Request, _ *framework.FieldData) (*logical.Response, error) {
		return &logical.Response{Secret: request.Secret}, nil
	})
	password := &framework.Secret{
		Type:  "password",
		Renew: renew,
		Revoke: func(context.Context, *logical.Request, *framework.FieldData) (*logical.Response, error) {
			return nil, nil
		},
	}
	read := func(context.Context, *logical.Request, *framework.FieldData) (*logical.Response, error) {
		random := make([]byte, 16)
		if _, err := rand.Read(random); err != nil {
			return nil, err
		}
		answer := password.Response(map[string]interface{}{"password": hex.EncodeToString(random)}, nil)
		answer.Secret.TTL = config.System.DefaultLeaseTTL()
		answer.Secret.MaxTTL = config.System.MaxLeaseTTL()
		answer.Secret.Renewable = true
		answer.Secret.IssueTime = time.Now()
		return answer, nil
	}
	engine.Secrets = []*framework.Secret{password}
	engine.Paths = []*framework.Path{{
		Pattern:    "creds/.+",
		Operations: map[logical.Operation]framework.OperationHandler{logical.ReadOperation: &framework.PathOperation{Callback: read}},
	}}
	return engine, engine.Setup(ctx, config)
}
