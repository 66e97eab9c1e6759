# Installs mcp-gateway on Windows: fetches the binary for this machine from the release, checks it against the release's
# SHA256SUMS, puts it into %LOCALAPPDATA%\Programs\mcp-gateway and that folder on the user's PATH. Needs no administrator.
#   irm https://github.com/@REPOSITORY@/releases/latest/download/install.ps1 | iex
#   $env:MCP_GATEWAY_VERSION   a version, such as 2.0.0 (default: the latest)
#   $env:MCP_GATEWAY_BIN       the folder to put it into
#   $env:MCP_GATEWAY_DOWNLOAD  where the release's files are (default: GitHub)

& {
    $ErrorActionPreference = 'Stop'
    $ProgressPreference = 'SilentlyContinue' # Windows PowerShell is slow at drawing it
    [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12

    $releases = 'https://github.com/@REPOSITORY@/releases'
    $download = "$releases/latest/download"
    if ($env:MCP_GATEWAY_VERSION) { $download = "$releases/download/v" + $env:MCP_GATEWAY_VERSION.TrimStart('v') }
    if ($env:MCP_GATEWAY_DOWNLOAD) { $download = $env:MCP_GATEWAY_DOWNLOAD }
    $folder = Join-Path $env:LOCALAPPDATA 'Programs\mcp-gateway'
    if ($env:MCP_GATEWAY_BIN) { $folder = $env:MCP_GATEWAY_BIN }

    # A 32-bit shell on a 64-bit system says what the system is in the second variable.
    $processor = $env:PROCESSOR_ARCHITECTURE
    if ($env:PROCESSOR_ARCHITEW6432) { $processor = $env:PROCESSOR_ARCHITEW6432 }
    $target = switch ($processor) {
        'AMD64' { 'windows-x64' }
        'ARM64' { 'windows-arm64' }
        default { throw "There is no binary for the processor $processor." }
    }
    $name = "mcp-gateway-$target.exe"

    New-Item -ItemType Directory -Force -Path $folder | Out-Null
    $staging = Join-Path $folder (".mcp-gateway-" + [Guid]::NewGuid().ToString('N') + '.exe')
    try {
        Write-Host "Fetching $name ..."
        $response = Invoke-WebRequest -UseBasicParsing -Uri "$download/SHA256SUMS"
        # PowerShell gives bytes where the server names no text.
        $sums = $response.Content
        if ($sums -is [byte[]]) { $sums = [Text.Encoding]::ASCII.GetString($sums) }
        Invoke-WebRequest -UseBasicParsing -Uri "$download/$name" -OutFile $staging

        $line = $sums -split "`n" | Where-Object { $_.Trim().EndsWith("  $name") } | Select-Object -First 1
        if (-not $line) { throw "The release's SHA256SUMS has no $name." }
        $expected = $line.Trim().Split(' ')[0]
        $actual = (Get-FileHash -Algorithm SHA256 -Path $staging).Hash.ToLowerInvariant()
        if ($actual -ne $expected) {
            throw "What was fetched is not what was released: $name has the checksum $actual, not $expected. Nothing was installed."
        }

        $program = Join-Path $folder 'mcp-gateway.exe'
        # A program that runs cannot be overwritten, but it can be renamed.
        if (Test-Path $program) {
            Remove-Item -Force -ErrorAction SilentlyContinue "$program.old"
            Move-Item -Force $program "$program.old"
        }
        Move-Item -Force $staging $program
        $installed = & $program --version
        Write-Host "$installed is installed as $program."
    }
    finally {
        Remove-Item -Force -ErrorAction SilentlyContinue $staging
    }

    $path = [Environment]::GetEnvironmentVariable('Path', 'User')
    if (($path -split ';') -notcontains $folder) {
        [Environment]::SetEnvironmentVariable('Path', (@($path, $folder) | Where-Object { $_ }) -join ';', 'User')
        Write-Host "$folder is on your PATH now; open a new terminal."
    }
    Write-Host 'Next:  mcp-gateway --help'
}
