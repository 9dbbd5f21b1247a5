// Prints what kevinburke/ssh_config finds for hosts in the files that ssh reads: read_with_ssh_config HOST...
package main

import (
	"fmt"
	"os"

	"github.com/kevinburke/ssh_config"
)

var options = []string{
	"HostName", "Port", "User", "IdentityFile", "ProxyCommand", "ProxyJump", "ForwardAgent", "StrictHostKeyChecking",
	"UserKnownHostsFile", "CheckHostIP", "ControlPath", "LogLevel", "ServerAliveInterval", "Compression", "SendEnv",
}

func main() {
	for _, host := range os.Args[1:] {
		for _, option := range options {
			value, err := ssh_config.GetStrict(host, option)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			fmt.Println(host, option, value)
		}
	}
}
