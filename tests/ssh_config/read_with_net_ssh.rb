# Prints what net-ssh finds for hosts in the files that ssh reads: read_with_net_ssh.rb HOST...
require "net/ssh"

ARGV.each do |host|
  Net::SSH::Config.for(host).sort.each do |option, value|
    value = value.command_line_template if value.respond_to?(:command_line_template)
    # Of an object, not where it is in memory.
    puts "#{host} #{option} #{value.inspect.gsub(/0x\h+/, "0x")}"
  end
end
