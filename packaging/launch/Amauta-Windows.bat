@echo off
rem Start Amauta: the release this computer uses, or else the program beside this file.
rem
rem Chooses and counts starts, nothing more. A release on trial that was begun twice and never reached its
rem prompt is passed over for the one before it; the program then makes that last. See docs/updates.md.
setlocal EnableExtensions DisableDelayedExpansion

set "here=%~dp0"
set "releases=%LOCALAPPDATA%\Amauta\releases"
if defined AMAUTA_HOME set "releases=%AMAUTA_HOME%\releases"
set "platform=windows-x86_64"
if /i "%PROCESSOR_ARCHITECTURE%"=="ARM64" set "platform=windows-aarch64"

set "chosen=0"
set "before=0"
set "trying=0"
set "back=0"
set "starts=0"
set "line=0"
if exist "%releases%\current" for /f "usebackq tokens=1" %%n in ("%releases%\current") do call :current %%n
if not exist "%releases%\%chosen%\installed.json" set "chosen=%before%"
if not exist "%releases%\%chosen%\installed.json" set "chosen=0"

set "line=0"
if exist "%releases%\trying" for /f "usebackq tokens=1" %%n in ("%releases%\trying") do call :trial %%n
if "%chosen%"=="0" goto start
if not "%trying%"=="%chosen%" goto start
if %starts% geq 2 goto back
if "%~1"=="" echo start>>"%releases%\trying"
if "%~1"=="tutor" echo start>>"%releases%\trying"
if "%~1"=="--plain" echo start>>"%releases%\trying"
goto start

:back
set "chosen=%back%"
if not exist "%releases%\%chosen%\installed.json" set "chosen=0"

:start
set "AMAUTA_RELEASE=%chosen%"
if not defined AMAUTA_STICK if exist "%here%AMAUTA\" set "AMAUTA_STICK=%here%AMAUTA"
set "program=%releases%\%chosen%\app\%platform%\amauta.exe"
if not exist "%program%" set "program=%here%AMAUTA\app\%platform%\amauta.exe"
if not exist "%program%" set "program=%here%app\%platform%\amauta.exe"
if not exist "%program%" set "program=%here%amauta.exe"
if not exist "%program%" goto none
"%program%" %*
exit /b %errorlevel%

:none
echo No encuentro el programa amauta para %platform% al lado de %~f0. 1>&2
echo Nao encontro o programa amauta para %platform% ao lado de %~f0. 1>&2
echo I find no program amauta for %platform% beside %~f0. 1>&2
pause
exit /b 1

:current
set /a line+=1
if %line%==1 set "chosen=%~1"
if %line%==2 set "before=%~1"
goto :eof

:trial
set /a line+=1
if %line%==1 set "trying=%~1"
if %line%==2 set "back=%~1"
if %line% geq 3 set /a starts+=1
goto :eof
