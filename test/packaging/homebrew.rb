# The part of Homebrew that a formula of ours uses. Evaluates the formula named on the command line for one machine and
# prints, as JSON, what Homebrew would download and run; then installs and tests it with that binary.
#   ruby homebrew.rb <formula> <macos|linux> <arm|intel> <folder with the binary, or "">

require "json"
require "pathname"
require "fileutils"
require "socket"
require "tmpdir"

FORMULA, SYSTEM, PROCESSOR, BINARIES = ARGV

class Pathname
  def install(names)
    mkpath
    names.each { |from, to| FileUtils.install(from, self/to, mode: 0o755) }
  end
end

class Service
  attr_reader :facts

  def initialize(formula) = (@formula, @facts = formula, {})

  %i[run keep_alive environment_variables log_path error_log_path].each do |name|
    define_method(name) { |value| @facts[name] = value }
  end

  def method_missing(name) = @formula.public_send(name)
  def respond_to_missing?(...) = true
end

class Formula
  class << self
    attr_reader :facts, :service_block, :test_block

    def inherited(formula)
      super
      formula.instance_variable_set(:@facts, {})
    end

    %i[desc homepage version license url sha256].each do |name|
      define_method(name) { |value| @facts[name] = value }
    end

    def on_macos = (yield if SYSTEM == "macos")
    def on_linux = (yield if SYSTEM == "linux")
    def on_arm = (yield if PROCESSOR == "arm")
    def on_intel = (yield if PROCESSOR == "intel")
    def service(&block) = (@service_block = block)
    def test(&block) = (@test_block = block)
  end

  def initialize(prefix) = (@prefix = Pathname(prefix))
  def bin = @prefix/"bin"
  def etc = @prefix/"etc"
  def var = @prefix/"var"
  def opt_bin = bin
  def std_service_path_env = "#{bin}:/usr/bin:/bin"
  def version = self.class.facts[:version]
  def free_port = TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }

  def shell_output(command)
    output = `#{command}`
    raise "#{command} failed" unless $?.success?

    output
  end

  def assert_match(expected, actual)
    raise "#{actual.inspect} has no #{expected.inspect}" unless actual.include?(expected)
  end
end

load FORMULA

prefix = Dir.mktmpdir
formula = McpGateway.new(prefix)
service = Service.new(formula)
service.instance_eval(&McpGateway.service_block)
facts = McpGateway.facts.merge(service: service.facts, caveats: formula.caveats)

unless BINARIES.empty?
  2.times { Dir.chdir(BINARIES) { formula.install } }
  facts[:config] = (formula.etc/"mcp-gateway/servers.yaml").read
  formula.instance_eval(&McpGateway.test_block)
  facts[:tested] = true
end

puts JSON.generate(facts).gsub(prefix, "PREFIX")
FileUtils.rm_r(prefix)
